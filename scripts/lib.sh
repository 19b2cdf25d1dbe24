# Read by the other scripts: installing what is missing, and a private MariaDB in a temporary folder that goes when the
# script ends, also after Ctrl-C.

PATH=$PATH:/usr/sbin:/sbin # mariadbd lives there, which is not on everyone's PATH

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
die() { printf '%s: %s\n' "$0" "$*" >&2; exit 1; }

# install_missing PROGRAM:PACKAGE…
install_missing() {
	local entry packages=() as_root=()
	for entry; do
		command -v "${entry%%:*}" > /dev/null || packages+=("${entry#*:}")
	done
	if [ ${#packages[@]} -eq 0 ]; then return; fi
	mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
	command -v apt-get > /dev/null ||
		die "this machine has no apt-get; please install what these Debian packages hold: ${packages[*]}"
	if [ "$(id -u)" != 0 ]; then
		command -v sudo > /dev/null || die "not root and no sudo; please run: apt-get install ${packages[*]}"
		as_root=(sudo)
	fi
	say "Installing ${packages[*]}"
	"${as_root[@]}" apt-get -q update
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${packages[@]}"
}

folder=
children=()
clean_up() {
	trap - EXIT
	local pid
	for pid in "${children[@]}"; do kill -KILL "$pid" 2> /dev/null || true; done
	for pid in "${children[@]}"; do wait "$pid" 2> /dev/null || true; done
	if [ -n "$folder" ]; then rm -rf --one-file-system "$folder"; fi
}

# make_folder NAME: the temporary folder, in $folder, and the traps that remove it and end the $children.
make_folder() {
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	folder=$(mktemp -d "${TMPDIR:-/tmp}/cupid-$1.XXXXXX")
}

sql() { mariadb --no-defaults --default-character-set=utf8mb4 --user=root --socket="$folder/s.sock" --batch --skip-column-names "$@"; }

free_port() {
	local port
	for _ in $(seq 50); do
		port=$((20000 + RANDOM % 12000))
		if ! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then echo "$port"; return; fi
	done
	die "found no free port"
}

# start_server [OPTION…]: MariaDB on a socket in $folder and on 127.0.0.1:$port.
start_server() {
	local options=(--no-defaults --user="$(id -un)" --datadir="$folder/data" --tmpdir="$folder")
	mariadb-install-db "${options[@]}" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve \
		> "$folder/install.log" 2>&1 || { cat "$folder/install.log" >&2; die "mariadb-install-db failed"; }
	for _ in 1 2 3; do # a free port may be taken before the server has it
		port=$(free_port)
		mariadbd "${options[@]}" --socket="$folder/s.sock" --pid-file="$folder/pid" --bind-address=127.0.0.1 --port="$port" \
			--skip-name-resolve --innodb-flush-log-at-trx-commit=0 "$@" > "$folder/server.log" 2>&1 &
		server=$!
		children+=("$server")
		for _ in $(seq 300); do
			if sql -e 'SELECT 1' > /dev/null 2>&1; then return; fi
			kill -0 "$server" 2> /dev/null || break
			sleep 0.1
		done
	done
	tail -n 20 "$folder/server.log" >&2
	die "the server did not start"
}

# start_receiver [OPTION…]: the callback receiver of examples/, at $address.
start_receiver() {
	target/release/examples/callback_receiver --listen 127.0.0.1:0 --quiet "$@" > "$folder/receiver.log" 2>&1 &
	local pid=$!
	children+=("$pid")
	for _ in $(seq 100); do
		address=$(sed -n '1s/^listening on //p' "$folder/receiver.log")
		if [ -n "$address" ]; then return; fi
		kill -0 "$pid" 2> /dev/null || break
		sleep 0.1
	done
	cat "$folder/receiver.log" >&2
	die "the callback receiver did not start"
}

# The methods of `cupid reconcile` that scripts/bench and scripts/corpus look at, and the options that ask for one. Checksums
# find no row that only a copy has: with --extra tables are read.
read -ra METHODS <<< "${METHODS:-stream checksum}"
method_options() {
	if [ "$1" = stream ]; then echo '--method stream --extra'; else echo "--method $1"; fi
}

# install_reladiff: the program, in $reladiff, from PyPI into a folder of its own; empty where it cannot be had.
install_reladiff() {
	local tool=target/reladiff version=0.6.0
	reladiff=$tool/bin/reladiff
	if [ -x "$reladiff" ]; then return; fi
	say "Installing reladiff $version into $tool"
	if ! { python3 -m venv "$tool" && "$tool/bin/pip" install -q "reladiff[mysql]==$version"; }; then
		rm -rf "$tool"
		reladiff=
		echo "RELADIFF COULD NOT BE INSTALLED (python3-venv, PyPI): IT IS LEFT OUT"
	fi
}
