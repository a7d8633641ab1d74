//! `samovar sets functions`: what formulas can call, by group.

use crate::cli::arguments::FunctionsOptions;
use crate::cli::console::Console;
use crate::cli::failure::{Code, Outcome};
use crate::cli::table::{Side, lay_out};
use crate::feature::formula::nearest;
use crate::feature::functions::{Function, LeftOut, Parameter, ParameterKind, functions};
use anyhow::anyhow;
use serde_json::{Value, json};

pub(super) fn run(console: &Console, options: &FunctionsOptions) -> Outcome {
    let groups = groups();
    let group = options.group.as_deref().map(|wanted| group_of(wanted, &groups)).transpose()?;
    let pattern = options.pattern.as_deref().unwrap_or_default().to_lowercase();
    let is_meant = |function: &&Function| {
        let fits = |text: &str| text.to_lowercase().contains(&pattern);
        group.is_none_or(|group| function.group == group) && (fits(&function.name) || fits(&function.description) || fits(function.group))
    };
    let found: Vec<&Function> = functions().iter().filter(is_meant).collect();
    if found.is_empty() {
        let names = functions().iter().map(|function| &*function.name);
        let near = nearest(options.pattern.as_deref().unwrap_or_default(), names).map(|near| format!("; did you mean {near}?"));
        return Err(anyhow!("no function fits{}", near.unwrap_or_default()));
    }
    if console.is_json() {
        console.json(&found.iter().map(|function| function_json(function)).collect::<Vec<_>>())?;
        return Ok(Code::AllWell);
    }
    let mut text = String::new();
    for group in groups {
        let of_group: Vec<Vec<String>> = (found.iter().filter(|function| function.group == group))
            .map(|function| vec![format!("  {}{}", function.signature, outputs_of(function)), function.description.to_string()])
            .collect();
        if !of_group.is_empty() {
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{group}\n{}", lay_out(&[Side::Left, Side::Left], &of_group)));
        }
    }
    console.print(&text)?;
    Ok(Code::AllWell)
}

/// The groups in the order of the functions.
fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&'static str> = Vec::new();
    for function in functions() {
        if !groups.contains(&function.group) {
            groups.push(function.group);
        }
    }
    groups
}

/// The group that is meant: its name in any case of letters, or a part of it that no other has.
fn group_of(wanted: &str, groups: &[&'static str]) -> anyhow::Result<&'static str> {
    let lower = wanted.to_lowercase();
    if let Some(group) = groups.iter().find(|group| group.to_lowercase() == lower) {
        return Ok(group);
    }
    let parts: Vec<&'static str> = groups.iter().copied().filter(|group| group.to_lowercase().contains(&lower)).collect();
    match parts.as_slice() {
        [only] => Ok(only),
        _ => Err(anyhow!("there is no group {wanted}; there are {}", groups.join(", "))),
    }
}

/// `.hist` and its like, where there are several outputs.
fn outputs_of(function: &Function) -> String {
    if function.outputs.is_empty() { String::new() } else { format!(".{}", function.outputs.join("|")) }
}

fn function_json(function: &Function) -> Value {
    json!({
        "name": function.name,
        "group": function.group,
        "signature": function.signature,
        "description": function.description,
        "parameters": function.parameters.iter().map(parameter_json).collect::<Vec<_>>(),
        "outputs": function.outputs,
    })
}

fn parameter_json(parameter: &Parameter) -> Value {
    let (kind, least, most) = match &parameter.kind {
        ParameterKind::Series => ("series", Value::Null, Value::Null),
        ParameterKind::Truth => ("truth", Value::Null, Value::Null),
        ParameterKind::Whole { least, most } => ("whole", json!(least), json!(most)),
        ParameterKind::Real { least, most } => ("real", json!(least), json!(most)),
        ParameterKind::MovingAverage => ("moving average", Value::Null, Value::Null),
    };
    let default = match parameter.default {
        None | Some(LeftOut::Nothing) => Value::Null,
        Some(LeftOut::Number(value)) => json!(value),
        Some(LeftOut::Field(field)) => json!(format!("${}", field.name())),
    };
    json!({
        "name": parameter.name,
        "kind": kind,
        "least": least,
        "most": most,
        "default": default,
        "required": parameter.default.is_none(),
        "description": parameter.description,
    })
}
