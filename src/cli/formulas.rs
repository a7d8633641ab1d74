//! Formulas given as arguments: `Mean($close, 5)`, or with a name of the column `ma5=Mean($close, 5)`.

use super::failure::usage;

/// A formula with the name of its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Formula {
    /// The column.
    pub name: String,
    /// The formula, without the name.
    pub text: String,
}

/// The formulas of arguments; those without a name are called `formula`, `formula2` and so on.
///
/// # Errors
/// Wrong usage when two have the same name.
pub(super) fn names_of(arguments: &[String]) -> anyhow::Result<Vec<Formula>> {
    let mut read: Vec<Formula> = Vec::new();
    for (place, argument) in arguments.iter().enumerate() {
        let usual = if place == 0 { "formula".to_owned() } else { format!("formula{}", place + 1) };
        let (name, text) = match name_before(argument) {
            Some((name, text)) => (name.to_owned(), text.to_owned()),
            None => (usual, argument.trim().to_owned()),
        };
        if read.iter().any(|known| known.name == name) {
            return Err(usage(format!("two formulas are named {name}; give one of them another name")));
        }
        read.push(Formula { name, text });
    }
    Ok(read)
}

/// A name and what follows its `=`, unless that is a comparison or the name of an argument.
fn name_before(argument: &str) -> Option<(&str, &str)> {
    let (name, text) = argument.split_once('=')?;
    let name = name.trim();
    let is_name = name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    (is_name && !text.starts_with('=')).then(|| (name, text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Vec<(String, String)> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        names_of(&arguments).expect("formulas").into_iter().map(|formula| (formula.name, formula.text)).collect()
    }

    #[test]
    fn a_name_is_told_from_a_comparison_and_from_a_named_argument() {
        for (argument, name, text) in [
            ("ma5=Mean($close, 5)", "ma5", "Mean($close, 5)"),
            (" 均线 = Mean($close, 5) ", "均线", "Mean($close, 5)"),
            ("$close == $open", "formula", "$close == $open"),
            ("up == $open", "formula", "up == $open"),
            ("$close >= 5", "formula", "$close >= 5"),
            ("TA_RSI($close, timeperiod=7)", "formula", "TA_RSI($close, timeperiod=7)"),
            ("up=$close == $open", "up", "$close == $open"),
        ] {
            assert_eq!(read(&[argument]), [(name.to_owned(), text.to_owned())], "{argument}");
        }
        let names: Vec<String> = read(&["$close", "a=$open", "$low"]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["formula", "a", "formula3"]);
        assert!(names_of(&["a=1".to_owned(), "a=2".to_owned()]).is_err());
    }
}
