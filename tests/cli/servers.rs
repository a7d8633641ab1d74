//! Trouble with database servers, and real ones where they are installed.

use super::home::{Home, number};
use super::market;
use super::support::servers::{self, PASSWORD, PASSWORD_IN_URL, Server, USER};

/// Every server that is there.
fn servers() -> Vec<&'static Server> {
    [servers::mariadb(), servers::postgres()].into_iter().flatten().collect()
}

/// Makes a database with bars of these symbols on a server; returns its name.
fn database(server: &Server, symbols: &[&str], bars: usize) -> String {
    let name = server.new_database();
    let mut sql = format!(
        "CREATE TABLE {} (symbol VARCHAR(64), trade_date DATE, open DOUBLE PRECISION, high DOUBLE PRECISION, low DOUBLE PRECISION, close DOUBLE PRECISION, volume DOUBLE PRECISION);\n",
        market::TABLE
    );
    for symbol in symbols {
        let rows: Vec<String> = (0..bars)
            .map(|day| {
                let bar = market::bar_of(symbol, day);
                format!("('{symbol}', '{}', {}, {}, {}, {}, {})", market::date_of(day), bar.0, bar.1, bar.2, bar.3, bar.4)
            })
            .collect();
        sql.push_str(&format!("INSERT INTO {} VALUES {};\n", market::TABLE, rows.join(", ")));
    }
    server.execute(&name, &sql);
    name
}

#[test]
fn a_server_that_is_not_there_is_explained() {
    let home = Home::new();
    let port = servers::free_port();
    for scheme in ["mysql", "postgres"] {
        let source = format!("{scheme}://root@127.0.0.1:{port}/market");
        home.run(&["preheat", "--source", &source]).ended(1).says(&["error: ", &format!("127.0.0.1:{port}"), ";"]);
        let test = home.run(&["source", "test", &source, "--json"]).ended(1).json();
        let failed = test["stages"].as_array().expect("stages").iter().find(|stage| stage["outcome"] == "failed").expect("one failed");
        assert_eq!(failed["stage"], "connection", "{test:#}");
    }
}

#[test]
fn a_wrong_password_or_an_unknown_database_is_explained() {
    for server in servers() {
        let home = Home::new();
        let name = database(server, &["A"], 5);
        let good = server.url(&name);
        let wrong = good.replace(PASSWORD_IN_URL, "wr0ngwr0ng");
        let ran = home.run(&["preheat", "--source", &wrong]).ended(1).says(&["error: ", USER]);
        assert!(!ran.err.contains("wr0ng"), "{ran:?}");
        home.run(&["preheat", "--source", &server.url("nosuchdb")]).ended(1).says(&["error: ", "nosuchdb"]);
        home.run(&["preheat", "--source", &server.url(&format!("{name}?table=nosuch"))]).ended(1).says(&["nosuch"]);
        home.run(&["source", "test", &wrong]).ended(1);

        // The password may come from the environment.
        let bare = good.replace(&format!(":{PASSWORD_IN_URL}"), "");
        let mut command = home.command(&["preheat", "--json", "--source", &bare]);
        let output = command.env("SAMOVAR_SOURCE_PASSWORD", PASSWORD).output().expect("run");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn a_server_is_preheated_like_any_other_source() {
    for server in servers() {
        let names = market::names(30);
        let symbols: Vec<&str> = names.iter().map(String::as_str).collect();
        let home = Home::new();
        let source = server.url(&database(server, &symbols, 60));
        let report = home.run(&["preheat", "--symbols", "all", "--json", "--source", &source]).ended(0).json();
        assert_eq!((number(&report, "/symbols/ok"), number(&report, "/rows")), (30, 1_800));
        let rows = home.run(&["get", "S0007", "--json"]).ended(0).json();
        assert_eq!(rows[59]["close"].as_f64(), Some(market::bar_of("S0007", 59).3));
        let again = home.run(&["preheat", "--json", "--source", &source]).ended(0).json();
        assert_eq!(number(&again, "/symbols/skipped_fresh"), 30);
        home.run(&["verify"]).ended(0);
    }
}
