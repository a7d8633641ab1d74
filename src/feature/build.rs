//! The parts of a set to one graph: names that may be used, the order in which formulas need each other, circles.
//!
//! Not files (`set_file`) and not a single formula (`formula`). Contract: every mistake of a set is found in one go; of two
//! sets of the same meaning the graphs are the same node by node, whatever the order, the helpers and the spelling.

use super::definition::Definition;
use super::formula::{Compiler, Expression, Mistake, Value, continues_name, parse, starts_name};
use super::functions;
use super::graph::{Field, Graph, GraphFull, NodeId, WarmUp};
use super::set::RAW_COLUMNS;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Most features of a set, and most helpers.
pub const MOST_FEATURES: usize = 2_000;

/// Longest name of a feature, helper or set, in characters.
pub const LONGEST_NAME: usize = 100;

/// How exactly the values of a set are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// Float64, as they are computed.
    #[default]
    F64,
    /// Float32: half the size.
    F32,
}

impl Precision {
    /// The word for it in files of sets.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
        }
    }
}

/// A formula that is no column; its name is free to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helper {
    /// By which other formulas name it.
    pub name: String,
    /// The formula, as it was written.
    pub formula: String,
}

/// What a set is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetParts {
    /// The set's name: letters, digits, `-` and `_`.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// One line for people.
    pub description: Option<String>,
    /// What windows that are not full give.
    pub warm_up: WarmUp,
    /// How exactly values are kept.
    pub precision: Precision,
    /// Formulas that are no columns.
    pub helpers: Vec<Helper>,
    /// The columns, in order.
    pub features: Vec<Definition>,
}

/// What the parts of a set come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Built {
    pub graph: Graph,
    /// One node per feature.
    pub outputs: Vec<NodeId>,
}

/// Which of a set's parts a mistake is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    SetName,
    /// The features as a whole.
    Features,
    HelperName(usize),
    HelperFormula(usize),
    FeatureName(usize),
    FeatureFormula(usize),
}

/// Something that is wrong with a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub place: Place,
    pub mistake: Mistake,
}

impl Wrong {
    /// Something that concerns the whole of a part.
    fn of(place: Place, message: String) -> Self {
        Self { place, mistake: Mistake::new(0..0, message) }
    }
}

/// Why this cannot name a feature or helper.
pub(super) fn name_problem(name: &str) -> Option<String> {
    if !name.starts_with(starts_name) || !name.chars().all(continues_name) || name.chars().count() > LONGEST_NAME {
        let rule = format!("a name has letters, digits and _, starts with no digit, and is at most {LONGEST_NAME} long");
        return Some(format!("{:?} cannot name a feature: {rule}", name.chars().take(LONGEST_NAME).collect::<String>()));
    }
    if RAW_COLUMNS.contains(&name) || Field::ALL.into_iter().any(|field| field.name() == name) {
        return Some(format!("{name} is a column of the bars; give the feature another name"));
    }
    if functions::function(name).is_some() {
        return Some(format!("{name} is a function; give the feature another name"));
    }
    matches!(name, "and" | "or" | "not").then(|| format!("{name} cannot name a feature; give it another name"))
}

/// Why this cannot name a set.
pub(super) fn set_name_problem(name: &str) -> Option<String> {
    let is_plain = |character: char| continues_name(character) || character == '-';
    let is_usable = name.starts_with(char::is_alphanumeric) && name.chars().all(is_plain) && name.chars().count() <= LONGEST_NAME;
    (!is_usable).then(|| {
        let shown: String = name.chars().take(LONGEST_NAME).collect();
        format!("{shown:?} cannot name a set: use letters, digits, - and _, {LONGEST_NAME} at most, and start with a letter or digit")
    })
}

/// A helper or feature while a set is built.
struct Item<'p> {
    name: &'p str,
    formula: Place,
    expression: Option<Expression>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Open,
    Done,
}

/// Builds a set.
///
/// # Errors
///
/// Everything that is wrong with it, in the order of its parts.
pub(super) fn build(parts: &SetParts) -> Result<Built, Vec<Wrong>> {
    let mut wrong: Vec<Wrong> = Vec::new();
    if let Some(problem) = set_name_problem(&parts.name) {
        wrong.push(Wrong::of(Place::SetName, problem));
    }
    for (count, what) in [(parts.features.len(), "features"), (parts.helpers.len(), "helpers")] {
        if count > MOST_FEATURES {
            let message = format!("a set may have {MOST_FEATURES} {what} at most, and this one has {count}; split it into several");
            wrong.push(Wrong::of(Place::Features, message));
            return Err(wrong);
        }
    }
    let helpers = parts
        .helpers
        .iter()
        .enumerate()
        .map(|(place, helper)| (&*helper.name, &*helper.formula, Place::HelperName(place), Place::HelperFormula(place)));
    let features = parts
        .features
        .iter()
        .enumerate()
        .map(|(place, feature)| (&*feature.name, &*feature.formula, Place::FeatureName(place), Place::FeatureFormula(place)));
    let mut items: Vec<Item<'_>> = Vec::with_capacity(parts.helpers.len() + parts.features.len());
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (name, formula, name_place, formula_place) in helpers.chain(features) {
        if let Some(problem) = name_problem(name) {
            wrong.push(Wrong::of(name_place, problem));
        }
        if places.contains_key(name) {
            wrong.push(Wrong::of(name_place, format!("there are two formulas named {name}; give one of them another name")));
        } else {
            places.insert(name, items.len());
        }
        let expression = parse(formula).map_err(|mistake| wrong.push(Wrong { place: formula_place, mistake })).ok();
        items.push(Item { name, formula: formula_place, expression, state: State::Waiting });
    }
    let mut compiler = Compiler::new(parts.warm_up);
    compiler.names = places.keys().copied().collect();
    compiler.scope = places.keys().map(|name| (*name, None)).collect();
    let mut outputs: BTreeMap<usize, NodeId> = BTreeMap::new();
    for (place, ended) in order(&mut items, &places) {
        let Some(item) = items.get(place) else { continue };
        if let Ended::Circle(span, circle) = ended {
            wrong.push(Wrong { place: item.formula, mistake: Mistake::new(span, circle) });
            continue;
        }
        let Some(expression) = &item.expression else { continue };
        let (value, mistakes) = compiler.compile(expression);
        wrong.extend(mistakes.into_iter().map(|mistake| Wrong { place: item.formula, mistake }));
        if places.get(item.name) == Some(&place) {
            compiler.scope.insert(item.name, Some(value));
        }
        if let Place::FeatureFormula(feature) = item.formula {
            let (id, mistakes) = if value == Value::Unknown { (None, Vec::new()) } else { compiler.output(value, &expression.span) };
            wrong.extend(mistakes.into_iter().map(|mistake| Wrong { place: item.formula, mistake }));
            outputs.extend(id.map(|id| (feature, id)));
        }
    }
    if !wrong.is_empty() {
        wrong.sort_by(|left, right| left.place.cmp(&right.place).then(left.mistake.span.start.cmp(&right.mistake.span.start)));
        return Err(wrong);
    }
    let outputs: Vec<NodeId> = outputs.into_values().collect();
    let mut order: Vec<usize> = (0..outputs.len()).collect();
    order.sort_by_key(|place| parts.features.get(*place).map(|feature| &feature.name));
    let full = |full: GraphFull| vec![Wrong::of(Place::Features, full.to_string())];
    canonical(&compiler.graph, &outputs, &order).map_err(full)
}

/// How the visit of a formula ended.
enum Ended {
    /// Everything it names is done.
    Ready,
    /// What it names here needs it itself.
    Circle(Range<usize>, String),
}

/// The formulas in an order in which each comes after what it names; and the circles, which are cut where they are found.
fn order(items: &mut [Item<'_>], places: &HashMap<&str, usize>) -> Vec<(usize, Ended)> {
    let needs: Vec<Vec<(usize, Range<usize>)>> = items
        .iter()
        .map(|item| {
            let mut names = Vec::new();
            if let Some(expression) = &item.expression {
                expression.names(&mut names);
            }
            names.into_iter().filter_map(|(name, span)| places.get(name).map(|place| (*place, span))).collect()
        })
        .collect();
    let mut ended = Vec::new();
    for start in 0..items.len() {
        // The formulas being visited, and how many of the names of each were looked at.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((place, looked_at)) = path.last_mut() {
            let (place, at) = (*place, *looked_at);
            *looked_at += 1;
            let Some(state) = items.get_mut(place).map(|item| &mut item.state) else { break };
            if at == 0 {
                if *state != State::Waiting {
                    path.pop();
                    continue;
                }
                *state = State::Open;
            }
            match needs.get(place).and_then(|needs| needs.get(at)) {
                None => {
                    *state = State::Done;
                    ended.push((place, Ended::Ready));
                    path.pop();
                }
                Some((needed, span)) => match items.get(*needed).map(|item| item.state) {
                    Some(State::Waiting) => path.push((*needed, 0)),
                    Some(State::Open) => ended.push((place, Ended::Circle(span.clone(), circle(items, &path, *needed)))),
                    Some(State::Done) | None => {}
                },
            }
        }
    }
    ended
}

/// A circle in words: the formulas from the needed one to the last of the path, and the needed one again.
fn circle(items: &[Item<'_>], path: &[(usize, usize)], needed: usize) -> String {
    let name = |place: usize| items.get(place).map_or("", |item| item.name);
    let from = path.iter().position(|(place, _)| *place == needed).unwrap_or(0);
    let round = path.iter().skip(from).map(|(place, _)| *place).chain([needed]);
    let names: Vec<&str> = round.map(name).collect();
    if names.len() == 2 {
        return format!("{} needs itself", name(needed));
    }
    format!("these formulas need each other in a circle: {}", names.join(" → "))
}

/// The same graph without what no output needs, in an order that follows from what the outputs mean: depth first from the
/// outputs in the given order.
fn canonical(graph: &Graph, outputs: &[NodeId], order: &[usize]) -> Result<Built, GraphFull> {
    let mut made = Graph::default();
    let mut known: HashMap<NodeId, NodeId> = HashMap::new();
    for output in order.iter().filter_map(|place| outputs.get(*place)) {
        let mut path = vec![*output];
        while let Some(id) = path.last().copied() {
            let node = graph.node(id);
            let inputs = node.map_or(&[][..], |node| &node.inputs);
            let before = path.len();
            if !known.contains_key(&id) {
                path.extend(inputs.iter().rev().filter(|input| !known.contains_key(input)));
            }
            if path.len() > before {
                continue;
            }
            path.pop();
            if let (Some(node), false) = (node, known.contains_key(&id)) {
                let inputs: Vec<NodeId> = inputs.iter().filter_map(|input| known.get(input).copied()).collect();
                known.insert(id, made.add(node.operator.clone(), &inputs)?);
            }
        }
    }
    let outputs = outputs.iter().filter_map(|output| known.get(output).copied()).collect();
    Ok(Built { graph: made, outputs })
}
