use super::*;

#[test]
fn a_condition_fixes_what_it_says_of_every_row() {
    let of = |condition: &str| {
        let fixed = Fixed::of(condition);
        let values = fixed
            .values
            .iter()
            .map(|(column, value)| format!("{column}={value}"));
        (values.collect::<Vec<_>>().join(" "), fixed.has_more)
    };
    for (condition, values, has_more) in [
        ("tenant=5", "tenant=5", false),
        ("tenant = 5 AND deleted = 0", "tenant=5 deleted=0", false),
        (
            "(tenant = 5) and (`a``b` = 'x and y' && c = \"\")",
            "tenant=5 a`b='x and y'",
            true,
        ),
        ("5 = t.tenant", "tenant=5", false),
        (
            "db.t.tenant <=> NULL AND gone IS NULL",
            "tenant=NULL gone=NULL",
            false,
        ),
        ("kind = 'it''s' AND id > 7", "kind='it''s'", true),
        (
            "kind = X'00ff' AND n = -1.5e3 AND ok = TRUE AND h = 0xFF",
            "kind=X'00ff' n=-1.5e3 ok=TRUE h=0xFF",
            false,
        ),
        ("tenant = 5 OR tenant = 6", "", true),
        ("a = 1 AND (b = 2 OR c = 3)", "a=1", true),
        ("NOT tenant = 5", "", true),
        ("a BETWEEN 1 AND 2", "", true),
        ("a = b", "", true),
        ("a = 1 + 1", "", true),
        ("a = NOW()", "", true),
        ("a >= 5", "", true),
        ("a != 5", "", true),
        ("5 >= a", "", true),
        ("a LIKE 'x'", "", true),
        ("a IN (1, 2)", "", true),
        ("orders = 5 AND android = 1", "orders=5 android=1", false),
        ("a = 'x", "", true),
        ("a = 1 -- b", "", true),
        ("a = 1) AND (b = 2", "", true),
        ("a = 'x\\' AND b = 1'", "a='x\\' AND b = 1'", false),
    ] {
        assert_eq!(of(condition), (values.to_owned(), has_more), "{condition}");
    }
}

#[test]
fn an_enum_without_an_empty_member_refuses_the_error_value() {
    let column = |declared: &str| WrittenColumn {
        name: "e".into(),
        column_type: ColumnType::Enum,
        declared: declared.into(),
        is_generated: false,
        is_nullable: false,
        has_default: false,
        length_max: 1,
    };
    for (declared, refuses) in [
        ("enum('a','b')", true),
        ("enum('','b')", false),
        ("enum('a','')", false),
        ("enum('a','','c')", false),
        ("enum('')", false),
        ("enum('it''s','b')", true),
    ] {
        assert_eq!(column(declared).refuses_empty(), refuses, "{declared}");
    }
}
