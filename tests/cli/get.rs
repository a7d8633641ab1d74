//! Reading cached rows in every format, and reading through to the source.

use super::home::{Home, number};
use super::market;
use arrow::array::{Array, Date32Array, Float64Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

const RAW: [&str; 6] = ["date", "open", "high", "low", "close", "volume"];

fn column_names(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|field| field.name().clone()).collect()
}

fn floats<'batch>(batch: &'batch RecordBatch, name: &str) -> &'batch Float64Array {
    batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref()).expect(name)
}

fn read_parquet(bytes: Vec<u8>) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))
        .expect("parquet")
        .with_batch_size(100_000)
        .build()
        .expect("reader");
    reader.map(|batch| batch.expect("batch")).next().expect("one batch")
}

#[test]
fn every_format_gives_the_same_rows() {
    let home = Home::with_market(&["BRK/B"], 70);
    home.preheat(&[]);
    let get = |arguments: &[&str]| home.run(&[&["get", "BRK/B"], arguments].concat()).ended(0);

    let json = get(&["--json"]).json();
    let rows = json.as_array().expect("rows");
    assert_eq!(rows.len(), 70);
    let last = market::bar_of("BRK/B", 69);
    assert_eq!((rows[69]["date"].as_str(), rows[69]["close"].as_f64()), (Some(market::date_of(69).as_str()), Some(last.3)));
    assert!(rows[3]["ma5"].is_null() && rows[4]["ma5"].is_f64(), "null in the warm-up, a number after it");
    assert_eq!(get(&["--format", "json"]).json(), json);

    let csv = get(&["--format", "csv"]).out;
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 71);
    assert_eq!(lines[0][..6], RAW);
    assert_eq!(lines[0].len(), 6 + 45);
    assert_eq!(lines[1][6], "", "a null is empty");
    assert_eq!(lines[70][4].parse::<f64>().expect("close").to_bits(), last.3.to_bits(), "every digit comes out");

    let parquet = read_parquet(get(&["--format", "parquet"]).bytes);
    assert_eq!(column_names(&parquet), lines[0]);
    let arrow_bytes = get(&["--format", "arrow"]).bytes;
    let mut reader = arrow::ipc::reader::FileReader::try_new(std::io::Cursor::new(arrow_bytes), None).expect("arrow");
    assert_eq!(reader.next().expect("batch").expect("batch"), parquet);
    let packed: Value = rmp_serde::from_slice(&get(&["--format", "msgpack"]).bytes).expect("msgpack");
    assert_eq!(packed.as_array().map(Vec::len), Some(70));
    for (row, cells) in lines.iter().skip(1).enumerate() {
        for (name, cell) in lines[0].iter().zip(cells).skip(1) {
            let column = floats(&parquet, name);
            let value = column.is_valid(row).then(|| column.value(row));
            assert_eq!(cell.parse::<f64>().ok().map(f64::to_bits), value.map(f64::to_bits), "{name} of row {row} in CSV");
            assert_eq!(packed[row][*name].as_f64().map(f64::to_bits), value.map(f64::to_bits), "{name} of row {row} in MessagePack");
            // The reader of JSON in this test may be off by the last bit.
            let close = match (json[row][*name].as_f64(), value) {
                (Some(left), Some(right)) => (left - right).abs() <= 4.0 * f64::EPSILON * right.abs(),
                (left, right) => left.is_none() && right.is_none(),
            };
            assert!(close, "{name} of row {row} in JSON");
        }
        assert_eq!((packed[row]["date"].as_str(), json[row]["date"].as_str()), (Some(cells[0]), Some(cells[0])));
    }
    let table = get(&[]).out;
    assert_eq!(table.lines().count(), 71);
    assert!(table.starts_with("date") && table.contains(&market::date_of(69)), "{table}");
}

#[test]
fn cached_files_are_plain_parquet_with_columns_in_order_and_their_origin_in_the_footer() {
    let home = Home::with_market(&["A"], 40);
    home.preheat(&[]);
    let set = home.run(&["sets", "show", "classic", "--json"]).ended(0).json();
    let features: Vec<&str> = set["features"].as_array().expect("features").iter().filter_map(|feature| feature["name"].as_str()).collect();
    assert_eq!(features.len(), 45);
    for (tree, names) in [("bars-v1", RAW.to_vec()), ("features-v1", [&RAW[..], &features].concat())] {
        let path = home.file(tree, "A");
        let bytes = std::fs::read(&path).expect("file");
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes.clone())).expect("parquet");
        let pairs = builder.metadata().file_metadata().key_value_metadata().expect("footer").clone();
        let find = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
        assert_eq!(find("samovar.symbol").as_deref(), Some("A"));
        assert!(find("samovar.fingerprint").is_some() && find("samovar.engine_version").is_some());
        let batch = read_parquet(bytes);
        assert_eq!(column_names(&batch), names);
        let days: &Date32Array = batch.column(0).as_any().downcast_ref().expect("date");
        assert_eq!((days.len(), days.value(0)), (40, 18_262));
        assert_eq!(floats(&batch, "open").value(7).to_bits(), market::bar_of("A", 7).0.to_bits());
        assert!(batch.columns().iter().all(|column| {
            let floats: Option<&Float64Array> = column.as_any().downcast_ref();
            floats.is_none_or(|floats| floats.iter().flatten().all(f64::is_finite))
        }));
    }
    let folder = home.file("features-v1", "A").parent().expect("folder").file_name().expect("name").to_string_lossy().into_owned();
    assert_eq!(folder, format!("classic@{}", set["definition_hash"].as_str().expect("hash")));
}

#[test]
fn columns_and_days_can_be_chosen() {
    let home = Home::with_market(&["A"], 40);
    home.preheat(&[]);
    let ran = home
        .run(&["get", "A", "--columns", "date,ma5,close", "--start-date", "2020-01-05", "--end-date", "2020-01-06", "--format", "csv"])
        .ended(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "date,ma5,close"));
    assert!(lines[1].starts_with("2020-01-05,") && lines[2].starts_with("2020-01-06,"));
    home.run(&["get", "A", "--columns", "clsoe"]).ended(1).says(&["no column clsoe", "did you mean close?"]);
    let bars = home.run(&["get", "A", "--bars", "--format", "csv"]).ended(0).out;
    assert_eq!(bars.lines().next(), Some("date,open,high,low,close,volume"));
}

#[test]
fn a_file_is_written_whole_in_the_format_of_its_ending() {
    let home = Home::with_market(&["A"], 20);
    home.preheat(&[]);
    let told = home.run(&["get", "A", "--output", "a.parquet", "--json"]).ended(0).json();
    assert_eq!(number(&told, "/rows"), 20);
    assert_eq!(read_parquet(std::fs::read(home.path("a.parquet")).expect("file")).num_rows(), 20);
    home.run(&["get", "A", "--bars", "--output", "a.csv"]).ended(0);
    assert_eq!(std::fs::read_to_string(home.path("a.csv")).expect("file").lines().count(), 21);
    home.run(&["get", "A", "--output", "nowhere/a.csv"]).ended(1).says(&["nowhere/a.csv", "cannot be written"]);
    assert!(!home.path("nowhere").exists());
}

#[test]
fn what_is_missing_is_fetched_first_and_lookups_are_counted() {
    let home = Home::with_market(&["A", "B"], 30);
    home.run(&["get", "A"]).ended(1).says(&["A is not cached", "--source"]);
    let ran = home.run_on_market(&["get", "A", "--format", "csv"]).ended(0);
    assert_eq!(ran.out.lines().count(), 31);
    let status = home.status(&[]);
    assert_eq!((number(&status, "/symbols"), number(&status, "/hits/miss"), number(&status, "/hits/disk")), (1, 1, 0));
    home.run(&["get", "A"]).ended(0);
    let status = home.status(&["A"]);
    assert_eq!((number(&status, "/hits/disk"), status["hits"]["rate"].as_f64()), (1, Some(0.5)));
    assert_eq!(number(&status, "/entries/1/hits"), 1);
    assert_eq!(number(&status, "/hits/stale"), 0);
    assert!(status["hits"]["saved_secs"].is_number() && status["hits"]["latency"]["disk"]["p50_us"].is_number(), "{status:#}");
    assert!(status["bytes"]["budget_level"].is_string() && status.get("lookups").is_none(), "{status:#}");
    home.run_on_market(&["get", "A", "--force"]).ended(0);
    let lookups = home.run(&["status", "A", "--lookups", "--json"]).ended(0).json();
    let reasons: Vec<_> = lookups["lookups"].as_array().expect("lookups").iter().map(|lookup| lookup["reason"].clone()).collect();
    assert_eq!(reasons, ["forced", "fresh", "missing"]);
    let shown = home.run(&["status", "--lookups"]).ended(0).out;
    assert!(["forced", "missing", "answered in", "classic"].iter().all(|word| shown.contains(word)), "{shown}");
    home.run_on_market(&["get", "NOSUCH"]).ended(1).says(&["no bars of NOSUCH"]);
    // Days outside of those that were fetched are fetched when they are asked for.
    home.preheat(&["--symbols", "B", "--start-date", "2020-01-20"]);
    assert_eq!(home.run(&["get", "B", "--format", "csv"]).ended(0).out.lines().count(), 12);
    let ran = home.run_on_market(&["get", "B", "--start-date", "2020-01-10", "--format", "csv"]).ended(0);
    assert_eq!(ran.out.lines().count(), 22);
}

#[test]
fn stale_rows_are_served_with_a_word_and_a_lost_source_takes_nothing_away() {
    let home = Home::with_market(&["A"], 30);
    home.preheat(&[]);
    home.run(&["get", "A", "--format", "csv", "--ttl", "0s"]).ended(0).says(&["warning", "stale"]);
    home.run(&["invalidate", "A"]).ended(0);
    std::fs::rename(home.market(), home.path("gone.db")).expect("the source goes away");
    home.run_on_market(&["preheat"]).ended(1).says(&["error: ", "market.db"]);
    let ran = home.run_on_market(&["get", "A", "--format", "csv"]).ended(0).says(&["stale"]);
    assert_eq!(ran.out.lines().count(), 31);
    let ran = home.run_on_market(&["get", "A", "--format", "csv", "--force"]).ended(2).says(&["last good version"]);
    assert_eq!(ran.out.lines().count(), 31);
    assert_eq!(number(&home.status(&[]), "/symbols"), 1);
}

#[test]
fn a_symbol_of_two_sources_needs_to_be_told_which() {
    let home = Home::with_market(&["A"], 30);
    home.preheat(&[]);
    let other = home.path("other.db");
    market::make(&other, &["A", "C"], 50);
    let other = format!("sqlite:{}", other.display());
    home.run(&["--source", &other, "preheat"]).ended(0);
    home.run(&["get", "A"]).ended(1).says(&["several sources", "market-", "other-", "--source"]);
    assert_eq!(home.run(&["get", "A", "--source", &other, "--format", "csv"]).ended(0).out.lines().count(), 51);
    assert_eq!(home.run(&["get", "C", "--format", "csv"]).ended(0).out.lines().count(), 51);
    assert_eq!(number(&home.status(&[]), "/symbols"), 3);
    assert_eq!(number(&home.run(&["status", "--json", "--source", &other]).ended(0).json(), "/symbols"), 2);
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let home = Home::with_market(&["A"], 5_000);
    home.preheat(&[]);
    for format in ["csv", "json", "table", "msgpack", "parquet", "arrow"] {
        let mut child = home
            .command(&["get", "A", "--format", format])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("spawn");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("end");
        assert_eq!(output.status.code(), Some(0), "{format}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
