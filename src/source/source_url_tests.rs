//! Tests of source URLs: reading, writing, identity, and that no password ever shows.

use super::*;

#[test]
fn a_server_url_is_taken_apart() {
    let url = SourceUrl::parse("mysql://me:p%40ss%2F@db.example:3307/market?table=day%20bars&close=adj+close&tls=require").expect("url");
    assert_eq!((url.kind(), url.host(), url.port()), (SourceKind::MySql, "db.example", 3307));
    assert_eq!((url.user(), url.password(), url.database(), url.table()), (Some("me"), Some("p@ss/"), Some("market"), Some("day bars")));
    assert_eq!((url.columns().get(ColumnRole::Close), url.tls()), (Some("adj close"), TlsMode::Require));
    assert_eq!(SourceUrl::parse("postgresql://h/db").expect("url").port(), 5432);
    assert_eq!(SourceUrl::parse("mariadb://[::1]:3306/db").expect("url").host(), "::1");
    assert_eq!(SourceUrl::parse("mysql://u:a@b@h/db").expect("url").password(), Some("a@b"));
}

#[test]
fn the_password_is_never_shown() {
    let url = SourceUrl::parse("postgres://me:hunter2@h/db?table=t").expect("url");
    for shown in [format!("{url}"), format!("{url:?}"), url.redacted(), url.id().to_string()] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert_eq!(url.redacted(), "postgres://me@h/db?table=t");
    assert_eq!(SourceUrl::parse(&url.to_string_with_password()).expect("url"), url);
    for broken in
        ["mysql://me:hun/ter2@h/db", "mysql://me:1/hunter2@h", "mysql:me:hunter2", "oracle://me:hunter2@h", "mysql://me:hunter2@h:port/"]
    {
        let error = SourceUrl::parse(broken).expect_err(broken);
        assert_eq!(error.kind(), SourceErrorKind::InvalidUrl);
        assert!(!error.to_string().contains("ter2"), "{error}");
    }
}

#[test]
fn files_may_have_spaces_and_are_absolute() {
    for text in ["sqlite:/data/my market.db?table=t", "sqlite:///data/my%20market.db?table=t", "sqlite:///data/./my market.db?table=t"] {
        let url = SourceUrl::parse(text).expect(text);
        assert_eq!((url.path(), url.table()), (Path::new("/data/my market.db"), Some("t")), "{text}");
        assert_eq!(SourceUrl::parse(&url.redacted()).expect("url"), url);
    }
    let relative = SourceUrl::parse("sqlite:market.db").expect("url");
    assert!(relative.path().is_absolute() && relative.path().ends_with("market.db"));
    assert!(SourceUrl::parse("files:").is_err());
}

#[test]
fn an_identity_is_stable_and_tells_sources_apart() {
    let id = |text: &str| SourceUrl::parse(text).expect(text).id().to_string();
    assert_eq!(id("mysql://me:pw@127.0.0.1:3306/market?table=stock_kline_data"), "mysql-127.0.0.1-3306-market-stock_kline_data");
    assert_eq!(id("mariadb://other@127.0.0.1/market?table=stock_kline_data&tls=off"), "mysql-127.0.0.1-3306-market-stock_kline_data");
    assert_eq!(id("sample:"), "sample");
    let different = [
        "mysql://h/a-b?table=c",
        "mysql://h/a?table=b-c",
        "mysql://h/a?table=b_c",
        "mysql://h/a?table=b/c",
        "mysql://h/a?table=B_c",
        "mysql://h/a?table=b_c&close=adj",
        "mysql://h/a?table=b_c&close=adj2",
        "mysql://h/a?table=株",
        "mysql://h/a?table=価",
        "postgres://h:3306/a?table=b_c",
        "sqlite:/a/m.db",
        "sqlite:/b/m.db",
        "sqlite:/a/m.db?table=t",
        "files:/a/m.db",
    ];
    let ids: std::collections::BTreeSet<String> = different.iter().map(|text| id(text).to_lowercase()).collect();
    assert_eq!(ids.len(), different.len(), "{ids:?}");
    assert!(ids.iter().all(|id| id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))));
    assert!(id(&format!("mysql://h/{}", "x".repeat(300))).len() <= LONGEST_ID);
}

#[test]
fn what_is_not_known_is_told() {
    for (text, told) in [
        ("market", "mysql:"),
        ("mysql://h/db?tabel=t", "tabel"),
        ("mysql://h/db?tls=maybe", "tls=prefer"),
        ("mysql://h:99999/db", "65535"),
        ("mysql://", "host"),
    ] {
        let error = SourceUrl::parse(text).expect_err(text).to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}

#[test]
fn a_url_can_be_filled_in() {
    let url = SourceUrl::new(SourceKind::Postgres)
        .with_host("::1")
        .with_port(Some(5433))
        .with_user(Some("u:v".to_owned()))
        .with_password(Some("p@%/".to_owned()))
        .with_database(Some("d/b".to_owned()))
        .with_table(Some("a&b".to_owned()))
        .with_tls(TlsMode::Off)
        .with_column(ColumnRole::Date, Some("交易 日期".to_owned()));
    assert_eq!(url.redacted(), "postgres://u%3Av@[::1]:5433/d%2Fb?table=a%26b&tls=off&date=交易%20日期");
    assert_eq!(SourceUrl::parse(&url.to_string_with_password()).expect("url"), url);
}
