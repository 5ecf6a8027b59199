//! Which tensor of a file is which of a network.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::Path;

use super::layout::Foreign;
use crate::graph::Shape;
use crate::{Error, ErrorKind, Result};

/// What batch norm counts and nothing needs.
const COUNT: &str = "num_batches_tracked";

/// For each tensor of the network its name in the file, whose tensors are `given`: name, shape.
///
/// Names that are the network's own are taken as they are. Else, as `nn.Sequential` numbers its modules, the file's modules in the order of
/// their numbers are the network's layers in their order. A file does not say in which order groups of modules with names (`features.0`,
/// `classifier.0`) run: that order is taken in which all shapes fit. Tensors of the layer `skip` are left out, of whatever shape.
///
/// # Errors
/// The first tensor that is missing, has another shape or is not of the network; groups that fit in more than one order.
pub fn matched(
    path: &Path,
    foreign: &[Foreign],
    given: &[(String, Vec<usize>)],
    skip: Option<&str>,
) -> Result<HashMap<String, String>> {
    let wanted: Vec<&Foreign> = foreign.iter().filter(|tensor| tensor.part.is_some()).collect();
    let given: Vec<&(String, Vec<usize>)> = given.iter().filter(|(name, _)| leaf(name) != COUNT).collect();
    let has = |name: &str| given.iter().any(|(known, _)| known == name);
    let wrong = |place: &str, message: String| {
        Err(Error::new(ErrorKind::Shape, format!("{}: {place}", path.display()), message))
    };
    let named = wanted.iter().filter(|tensor| has(&tensor.name)).count();
    if named == 0 && given.iter().any(|(name, _)| name.split('.').any(|part| part.parse::<usize>().is_ok())) {
        return by_order(path, &wanted, &given, skip);
    }
    let skipped = |name: &str| Some(module(name)) == skip;
    for tensor in wanted.iter().filter(|tensor| !skipped(&tensor.name)) {
        match given.iter().find(|(name, _)| *name == tensor.name) {
            None => return wrong(&tensor.name, "the network has this tensor, the file has not".into()),
            Some((_, shape)) if *shape != tensor.shape => return wrong(&tensor.name, differ(&tensor.shape, shape)),
            Some(_) => {}
        }
    }
    match given.iter().find(|(name, _)| !skipped(name) && wanted.iter().all(|tensor| tensor.name != *name)) {
        Some((extra, _)) => wrong(extra, "the file has this tensor, the network has not".into()),
        None => Ok(wanted.iter().map(|tensor| (tensor.name.clone(), tensor.name.clone())).collect()),
    }
}

/// Names of modules that run one after another.
type Modules<'a> = &'a [&'a str];

/// Groups of modules whose order is tried out; more have too many orders.
const GROUPS: usize = 6;

fn by_order(
    path: &Path,
    wanted: &[&Foreign],
    given: &[&(String, Vec<usize>)],
    skip: Option<&str>,
) -> Result<HashMap<String, String>> {
    let mut theirs: Vec<&str> = given.iter().map(|(name, _)| module(name)).collect();
    theirs.sort_by(|a, b| naturally(a, b));
    theirs.dedup();
    let first = in_order(path, wanted, given, skip, &theirs);
    let groups: Vec<Modules> = theirs.chunk_by(|a, b| group(a) == group(b)).collect();
    if !(2..=GROUPS).contains(&groups.len()) {
        return first;
    }
    let mut fits = orders(&groups).into_iter().filter_map(|order| {
        let names = in_order(path, wanted, given, skip, &order.concat()).ok()?;
        Some((names, order.iter().map(|modules| group(modules[0])).collect::<Vec<_>>().join(", ")))
    });
    match (fits.next(), fits.next()) {
        (None, _) => first,
        (Some((names, _)), None) => Ok(names),
        (Some((_, one)), Some((_, other))) => {
            let message = format!(
                "its modules fit as {one} and as {other}; rename its tensors as `ackermann inspect` names the layers"
            );
            Err(Error::new(ErrorKind::Shape, path.display(), message))
        }
    }
}

/// What the modules of a group have in common: the first part of their name without its number.
fn group(module: &str) -> &str {
    numbered(module.split('.').next().unwrap_or("")).0
}

/// All orders of `groups`, theirs first.
fn orders<'a>(groups: &[Modules<'a>]) -> Vec<Vec<Modules<'a>>> {
    if groups.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |at: usize| {
        let (mut rest, first) = (groups.to_vec(), groups[at]);
        rest.remove(at);
        orders(&rest).into_iter().map(move |order| [vec![first], order].concat())
    };
    (0..groups.len()).flat_map(with_first).collect()
}

/// [`matched`] for modules that run in the order `theirs`.
fn in_order(
    path: &Path,
    wanted: &[&Foreign],
    given: &[&(String, Vec<usize>)],
    skip: Option<&str>,
    theirs: &[&str],
) -> Result<HashMap<String, String>> {
    let mut ours: Vec<&str> = wanted.iter().map(|tensor| module(&tensor.name)).collect();
    ours.dedup();
    let wrong = |place: &str, message: String| {
        Err(Error::new(ErrorKind::Shape, format!("{}: {place}", path.display()), message))
    };
    let mut names = HashMap::new();
    for (own, their) in ours.iter().zip(theirs) {
        for tensor in wanted.iter().filter(|tensor| module(&tensor.name) == *own) {
            let name = format!("{their}.{}", leaf(&tensor.name));
            match given.iter().find(|(known, _)| *known == name) {
                None => {
                    return wrong(their, format!("has no `{}`, which `{own}` of the network has", leaf(&tensor.name)));
                }
                Some((_, shape)) if *shape != tensor.shape && Some(*own) != skip => {
                    return wrong(
                        &name,
                        format!("for `{}` of the network: {}", tensor.name, differ(&tensor.shape, shape)),
                    );
                }
                Some(_) => names.insert(tensor.name.clone(), name),
            };
        }
    }
    if ours.len() != theirs.len() {
        let message = format!("has {} modules with parameters, the network has {}", theirs.len(), ours.len());
        return Err(Error::new(ErrorKind::Shape, path.display(), message));
    }
    let taken = |name: &String| names.values().any(|known| known == name);
    match given.iter().find(|(name, _)| !taken(name)) {
        Some((extra, _)) => wrong(extra, "the file has this tensor, the network has not".into()),
        None => Ok(names),
    }
}

fn differ(own: &[usize], given: &[usize]) -> String {
    format!("the network has it as {}, the file as {}", Shape::from(own), Shape::from(given))
}

/// The tensor's name within its module; attention's output projection counts as part of it.
fn leaf(name: &str) -> &str {
    let parts = name.rmatch_indices('.').nth(usize::from(name.contains(".out_proj.")));
    parts.map_or(name, |(at, _)| &name[at + 1..])
}

fn module(name: &str) -> &str {
    name[..name.len() - leaf(name).len()].trim_end_matches('.')
}

/// Part by part, numbers by their value.
fn naturally(a: &str, b: &str) -> Ordering {
    a.split('.').map(numbered).cmp(b.split('.').map(numbered))
}

/// A part of a name and the number that it ends with, 0 without one.
fn numbered(part: &str) -> (&str, usize) {
    let text = part.trim_end_matches(|c: char| c.is_ascii_digit());
    (text, part[text.len()..].parse().unwrap_or(0))
}
