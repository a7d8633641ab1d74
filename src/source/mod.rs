//! Where bars come from: MySQL, PostgreSQL, SQLite, files, and the sample market. Sources are only ever read.
