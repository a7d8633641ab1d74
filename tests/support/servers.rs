//! Database servers for tests: each test program starts its own MariaDB and PostgreSQL, on a free port, in a temporary folder.
//!
//! A server is a child of a small shell that waits for the end of its input. When the test program ends, however it ends, the
//! pipe closes, and the shell ends the server and removes the folder. Nothing else is ever ended. A test that wants to end a server
//! itself, and start it again, has one of its own.
//!
//! With `SAMOVAR_TEST_SERVERS=require` a server that cannot be had is a failure; otherwise tests that need it say so and pass.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// A password with everything that needs care in a URL.
pub const PASSWORD: &str = "p@ss/w:rd?%20#é";
/// [`PASSWORD`] as it stands in a URL.
pub const PASSWORD_IN_URL: &str = "p%40ss%2Fw%3Ard%3F%2520%23é";
/// The user of every test.
pub const USER: &str = "tester";

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    MariaDb,
    Postgres,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    pub kind: ServerKind,
    pub port: u16,
    /// Closing it ends the server; words written into it end and start it.
    lifeline: Mutex<ChildStdin>,
}

/// A MariaDB (or MySQL) that no other test uses; ends when it is dropped.
pub fn own_mariadb() -> Option<Server> {
    required("MariaDB", start_mariadb())
}

/// A MariaDB (or MySQL) of its own that can encrypt, with a certificate nobody knows.
#[allow(dead_code, reason = "not every test program encrypts")]
pub fn own_encrypting_mariadb() -> Option<Server> {
    required("MariaDB", start_mariadb_with(Some(include_str!("../fixtures/server.pem"))))
}

/// A PostgreSQL that no other test uses; ends when it is dropped.
pub fn own_postgres() -> Option<Server> {
    required("PostgreSQL", start_postgres())
}

/// MariaDB (or MySQL), started once per test program.
pub fn mariadb() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| required("MariaDB", start_mariadb())).as_ref()
}

/// PostgreSQL, started once per test program.
pub fn postgres() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| required("PostgreSQL", start_postgres())).as_ref()
}

fn required(name: &str, started: Result<Server, String>) -> Option<Server> {
    match started {
        Ok(server) => Some(server),
        Err(why) if std::env::var("SAMOVAR_TEST_SERVERS").as_deref() == Ok("require") => panic!("no {name} for the tests: {why}"),
        Err(why) => {
            eprintln!("not run: tests that need {name} ({why})");
            None
        }
    }
}

impl Server {
    /// A source URL of this server, with its password: `server.url("market?table=bars")`.
    pub fn url(&self, rest: &str) -> String {
        self.url_at(self.port, rest)
    }

    /// The same through another port, such as that of a proxy.
    pub fn url_at(&self, port: u16, rest: &str) -> String {
        let scheme = match self.kind {
            ServerKind::MariaDb => "mysql",
            ServerKind::Postgres => "postgres",
        };
        format!("{scheme}://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{port}/{rest}")
    }

    /// Ends a server as a power cut does, and waits until nothing listens any more.
    pub fn kill(&self) {
        self.say("kill");
    }

    /// Ends a server as an administrator does, which tells its clients; waits until nothing listens any more.
    pub fn shut_down(&self) {
        self.say("stop");
    }

    fn say(&self, word: &str) {
        writeln!(self.lifeline.lock().expect("lifeline"), "{word}").expect("the shell listens");
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts a server that was ended, with what was in it, and waits until it answers.
    pub fn start_again(&self) {
        writeln!(self.lifeline.lock().expect("lifeline"), "start").expect("the shell listens");
        let home = if self.kind == ServerKind::MariaDb { "mysql" } else { "postgres" };
        let began = Instant::now();
        while let Err(error) = self.try_execute(home, "SELECT 1") {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not answer: {error}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Makes a database of its own for a test and tells its name.
    pub fn new_database(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let (home, sql) = match self.kind {
            ServerKind::MariaDb => ("mysql", format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")),
            ServerKind::Postgres => ("postgres", format!("CREATE DATABASE {name}")),
        };
        self.execute(home, &sql);
        name
    }

    /// Runs statements, and panics if one fails. May be called from synchronous and asynchronous tests.
    pub fn execute(&self, database: &str, sql: &str) {
        self.try_execute(database, sql).unwrap_or_else(|error| panic!("{error}\n{}", sql.chars().take(500).collect::<String>()));
    }

    /// How many rows a query has.
    pub fn count(&self, database: &str, sql: &str) -> usize {
        self.try_execute(database, sql).unwrap_or_else(|error| panic!("{error}\n{sql}"))
    }

    fn try_execute(&self, database: &str, sql: &str) -> Result<usize, sqlx::Error> {
        use sqlx::Connection;
        // A thread of its own, because a runtime cannot be started inside another.
        std::thread::scope(|scope| {
            let running = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
                runtime.block_on(async {
                    match self.kind {
                        ServerKind::MariaDb => {
                            let options = sqlx::mysql::MySqlConnectOptions::new()
                                .host("127.0.0.1")
                                .port(self.port)
                                .username(USER)
                                .password(PASSWORD)
                                .ssl_mode(sqlx::mysql::MySqlSslMode::Disabled)
                                .database(database);
                            let mut connection = sqlx::MySqlConnection::connect_with(&options).await?;
                            let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await?.len();
                            connection.close().await.map(|()| rows)
                        }
                        ServerKind::Postgres => {
                            let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
                                .host("127.0.0.1")
                                .port(self.port)
                                .username(USER)
                                .password(PASSWORD)
                                .ssl_mode(sqlx::postgres::PgSslMode::Disable)
                                .database(database);
                            let mut connection = sqlx::PgConnection::connect_with(&options).await?;
                            let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await?.len();
                            connection.close().await.map(|()| rows)
                        }
                    }
                })
            });
            running.join().expect("no panic")
        })
    }

    fn until_ready(self, database: &str, log: &Path) -> Result<Self, String> {
        let began = Instant::now();
        loop {
            match self.try_execute(database, "SELECT 1") {
                Ok(_) => return Ok(self),
                Err(error) if began.elapsed() > Duration::from_secs(60) => {
                    let log = std::fs::read_to_string(log).unwrap_or_default();
                    let tail: Vec<&str> = log.lines().rev().take(15).collect();
                    return Err(format!("it does not answer: {error}\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n")));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

/// A port nothing listens on.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

fn start_mariadb() -> Result<Server, String> {
    start_mariadb_with(None)
}

fn start_mariadb_with(certificate: Option<&str>) -> Result<Server, String> {
    let server = found(&["mariadbd", "mysqld"]).ok_or("neither mariadbd nor mysqld is installed")?;
    let install = found(&["mariadb-install-db", "mysql_install_db"]);
    let folder = Folder::new()?;
    let (data, port, user) = (folder.path.join("data"), free_port(), user_name()?);
    // A server that starts clears the temporary tables out of its folder, also those of other servers if the folder is /tmp.
    let temporary = folder.path.join("tmp");
    std::fs::create_dir(&temporary).map_err(|error| error.to_string())?;
    match install {
        Some(install) => run(Command::new(install)
            .env("TMPDIR", &temporary)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--user={user}")))?,
        None => run(Command::new(&server)
            .env("TMPDIR", &temporary)
            .args(["--no-defaults", "--initialize-insecure"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--user={user}")))?,
    }
    let init = folder.path.join("init.sql");
    let sql = format!(
        "CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
    );
    std::fs::write(&init, sql).map_err(|error| error.to_string())?;
    let mut command = vec![server.display().to_string(), "--no-defaults".to_owned()];
    command.extend([
        format!("--datadir={}", data.display()),
        format!("--tmpdir={}", temporary.display()),
        format!("--socket={}", folder.path.join("socket").display()),
        format!("--pid-file={}", folder.path.join("pid").display()),
        format!("--init-file={}", init.display()),
        format!("--port={port}"),
        format!("--user={user}"),
    ]);
    command.extend(
        ["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=256M"]
            .map(str::to_owned),
    );
    if let Some(certificate) = certificate {
        let path = folder.path.join("certificate.pem");
        std::fs::write(&path, certificate).map_err(|error| error.to_string())?;
        command.extend(["cert", "key"].map(|part| format!("--ssl-{part}={}", path.display())));
    }
    let log = folder.path.join("log");
    let lifeline = start("KILL", "TERM", &command, folder, &log)?;
    Server { kind: ServerKind::MariaDb, port, lifeline: Mutex::new(lifeline) }.until_ready("mysql", &log)
}

fn start_postgres() -> Result<Server, String> {
    let programs = postgres_programs().ok_or("neither /usr/lib/postgresql/*/bin nor the path has initdb and postgres")?;
    let folder = Folder::new()?;
    let (data, port) = (folder.path.join("data"), free_port());
    let password_file = folder.path.join("password");
    std::fs::write(&password_file, PASSWORD).map_err(|error| error.to_string())?;
    // PostgreSQL refuses to run as root.
    let unprivileged: Vec<String> = if user_name()? == "root" {
        let user =
            ["postgres", "nobody"].into_iter().find(|user| run(Command::new("id").arg(user)).is_ok()).ok_or("no unprivileged user")?;
        run(Command::new("chown").args(["-R", user]).arg(&folder.path))?;
        let group = output(Command::new("id").args(["-g", user]))?;
        ["setpriv", &format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups", "--"].map(str::to_owned).to_vec()
    } else {
        Vec::new()
    };
    let mut initdb = unprivileged.clone();
    initdb.push(programs.join("initdb").display().to_string());
    initdb.extend(["--username", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"].map(str::to_owned));
    initdb.extend([format!("--pwfile={}", password_file.display()), "--pgdata".to_owned(), data.display().to_string()]);
    let (program, arguments) = initdb.split_first().expect("a command");
    run(Command::new(program).args(arguments).current_dir(&folder.path))?;
    let mut command = unprivileged;
    command.push(programs.join("postgres").display().to_string());
    command.extend(["-D".to_owned(), data.display().to_string(), "-p".to_owned(), port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"] {
        command.extend(["-c".to_owned(), setting.to_owned()]);
    }
    command.extend(["-c".to_owned(), format!("unix_socket_directories={}", folder.path.display())]);
    let log = folder.path.join("log");
    let lifeline = start("QUIT", "INT", &command, folder, &log)?;
    Server { kind: ServerKind::Postgres, port, lifeline: Mutex::new(lifeline) }.until_ready("postgres", &log)
}

/// Starts a server that ends, and whose folder goes, when the returned pipe closes.
fn start(signal: &str, stop: &str, command: &[String], folder: Folder, log: &Path) -> Result<ChildStdin, String> {
    const SCRIPT: &str = r#"signal=$1; stop=$2; folder=$3; shift 3
cd "$folder" || exit 1
"$@" </dev/null &
server=$!
while read -r word; do
    case $word in
        kill) kill -s "$signal" "$server"; wait "$server"; server= ;;
        stop) kill -s "$stop" "$server"; wait "$server"; server= ;;
        start) "$@" </dev/null & server=$! ;;
    esac
done
if [ -n "$server" ]; then kill -s "$signal" "$server"; wait "$server"; fi
cd /
rm -rf "$folder""#;
    let log = std::fs::File::create(log).map_err(|error| error.to_string())?;
    let mut child = Command::new("sh")
        .args(["-c", SCRIPT, "server", signal, stop])
        .arg(&folder.path)
        .args(command)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().map_err(|error| error.to_string())?)
        .stderr(log)
        .spawn()
        .map_err(|error| format!("sh: {error}"))?;
    // From here on the shell removes the folder.
    folder.leave();
    let mut lifeline = child.stdin.take().ok_or("no pipe")?;
    lifeline.flush().map_err(|error| error.to_string())?;
    Ok(lifeline)
}

/// A temporary folder that others may enter, removed unless it is left to somebody else.
struct Folder {
    path: PathBuf,
    is_left: bool,
}

impl Folder {
    fn new() -> Result<Self, String> {
        let path = tempfile::Builder::new().prefix("samovar-test-").tempdir().map_err(|error| error.to_string())?.keep();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
        }
        Ok(Self { path, is_left: false })
    }

    fn leave(mut self) {
        self.is_left = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_left && std::fs::remove_dir_all(&self.path).is_err() {
            eprintln!("left behind: {}", self.path.display());
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    output(command).map(|_| ())
}

fn output(command: &mut Command) -> Result<String, String> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(format!("{shown}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    }
}

fn user_name() -> Result<String, String> {
    output(Command::new("id").arg("-un"))
}

fn found(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from)).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
}

/// The folder with `initdb` and `postgres`, of the newest version there is.
fn postgres_programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path().join("bin")))
        .collect();
    folders.sort();
    folders.reverse();
    folders.extend(found(&["initdb"]).and_then(|program| program.parent().map(Path::to_path_buf)));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}
