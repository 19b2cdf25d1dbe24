//! Where a message goes.

/// One of `notify[]`, or `src.pushbearSendKey`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// `name`, else the type, with `#2` and so on where several have it. Unique.
    pub name: String,
    /// Who takes the message.
    pub robot: Robot,
    /// `baseUrl`, without a slash at its end: in place of the service's own scheme and host.
    pub base_url: Option<String>,
}

/// Who takes the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Robot {
    /// `ServerChan`, Turbo or 3 by the key.
    ServerChan {
        /// `sendKey`.
        send_key: Secret,
    },
    /// A robot in a group of `WeCom`.
    WeCom {
        /// `key`.
        key: Secret,
    },
    /// A robot in a group of `DingTalk`.
    DingTalk {
        /// `token`.
        token: Secret,
        /// `secret`: signs.
        secret: Option<Secret>,
    },
    /// A robot in a group of Feishu, or of Lark.
    Feishu {
        /// `url`.
        hook: Hook,
        /// `secret`: signs.
        secret: Option<Secret>,
    },
    /// Slack, and what takes the same: Mattermost, Rocket.Chat.
    Slack {
        /// `url`.
        hook: Hook,
    },
    /// Any receiver of Standard Webhooks.
    Webhook {
        /// `url`.
        hook: Hook,
        /// `secret`: signs.
        key: Option<SigningKey>,
    },
    /// A program of this machine.
    Command {
        /// The program and its arguments, at least one word.
        words: Vec<Word>,
    },
    /// `src.pushbearSendKey`: the service of the first cupid.
    PushBear {
        /// The key.
        send_key: Secret,
    },
}

/// A key, a token, a part of an address: nobody reads it in what cupid says.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The decoded key of Standard Webhooks, never shown either.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

/// A robot's address. Whoever has it can write to the group, so only its host may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Scheme, host and port.
    pub origin: String,
    /// The path, which begins with a slash, and the query.
    pub path: Secret,
}

/// A word of a command line.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// As it is given to the program.
    pub value: String,
    /// As it may be shown.
    pub shown: String,
}

impl Robot {
    /// `type` in `notify[]`; `pushbear` has no entry there.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::ServerChan { .. } => "serverchan",
            Self::WeCom { .. } => "wecom",
            Self::DingTalk { .. } => "dingtalk",
            Self::Feishu { .. } => "feishu",
            Self::Slack { .. } => "slack",
            Self::Webhook { .. } => "webhook",
            Self::Command { .. } => "command",
            Self::PushBear { .. } => "pushbear",
        }
    }

    /// What no output may repeat, not even in the robot's own words.
    pub(super) fn secrets(&self) -> Vec<&str> {
        match self {
            Self::ServerChan { send_key } | Self::PushBear { send_key } => vec![send_key.expose()],
            Self::WeCom { key } => vec![key.expose()],
            Self::DingTalk { token, secret } => {
                secret.iter().chain([token]).map(Secret::expose).collect()
            }
            Self::Feishu { hook, secret } => secret
                .iter()
                .map(Secret::expose)
                .chain(hook.secrets())
                .collect(),
            Self::Slack { hook } | Self::Webhook { hook, .. } => hook.secrets().collect(),
            Self::Command { .. } => vec![],
        }
    }
}

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for a request and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl SigningKey {
    /// Hides a key.
    #[must_use]
    pub fn new(key: Vec<u8>) -> Self {
        Self(key)
    }

    /// The key, for a signature and nothing else.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Hook {
    /// The parts of the path and of the query that are long enough to be keys.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        self.path
            .expose()
            .split(['/', '?', '&', '=', '#'])
            .filter(|part| part.len() >= 8)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.shown)
    }
}
