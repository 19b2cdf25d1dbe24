//! JSON with comments and trailing commas, and no other liberty.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// The object that a text holds.
///
/// # Errors
/// What is wrong with the text, as a sentence about the file.
pub(super) fn parse(text: &str) -> Result<Object<'_>, String> {
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options)
        .map_err(|error| format!("Is not valid JSON: {error}"))?;
    match parsed.value {
        Some(Value::Object(object)) => Ok(object),
        _ => Err("Holds no JSON object; should hold {…} with the keys src and des".into()),
    }
}
