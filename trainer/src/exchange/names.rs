//! Which tensor of a file is which of a network.

use std::collections::HashMap;
use std::path::Path;

use super::layout::Foreign;
use super::order::{self, Found, Module};
use crate::graph::Shape;
use crate::{Error, ErrorKind, Result};

/// What batch norm counts and nothing needs.
const COUNT: &str = "num_batches_tracked";
/// Most parts of a prefix that all names share.
const MOST_PARTS: usize = 8;
/// What helps when the order of modules is not known.
const RENAME: &str = "rename its tensors as `ackermann inspect` names the layers";

/// For each tensor of the network its name in the file, whose tensors are `given`: name, shape.
///
/// Names that are the network's own, maybe behind a prefix that all share, are taken as they are. Else, as `nn.Sequential` numbers its
/// modules, the file's modules in the order of their numbers are the network's layers in their order. A file does not say in which order
/// modules with names (`features`, `classifier`) run: that order is taken in which all shapes fit. Tensors of the layer `skip` are left
/// out, of whatever shape.
///
/// # Errors
/// The first tensor that is missing, has another shape or is not of the network; modules that fit in more than one order.
pub fn matched(
    path: &Path,
    foreign: &[Foreign],
    given: &[(String, Vec<usize>)],
    skip: Option<&str>,
) -> Result<HashMap<String, String>> {
    let wanted: Vec<&Foreign> = foreign.iter().filter(|tensor| tensor.part.is_some()).collect();
    let given: Vec<(&str, &[usize])> = given
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.as_slice()))
        .filter(|(name, _)| leaf(name) != COUNT)
        .collect();
    let own = |name: &str| wanted.iter().any(|tensor| tensor.name == name);
    let prefix = prefixes(&given).into_iter().find(|prefix| given.iter().any(|(name, _)| own(&name[prefix.len()..])));
    let is_numbered = |name: &str| name.split('.').any(|part| part.parse::<usize>().is_ok());
    match prefix {
        None if given.iter().any(|(name, _)| is_numbered(name)) => by_order(path, &wanted, &given, skip),
        prefix => by_name(path, &wanted, &given, skip, prefix.unwrap_or("")),
    }
}

/// What all names begin with, part by part: first nothing, then one part with its dot.
fn prefixes<'a>(given: &[(&'a str, &[usize])]) -> Vec<&'a str> {
    let first = given.first().map_or("", |(name, _)| *name);
    let ends = std::iter::once(0).chain(first.match_indices('.').map(|(at, _)| at + 1).take(MOST_PARTS));
    ends.map(|end| &first[..end]).take_while(|prefix| given.iter().all(|(name, _)| name.starts_with(prefix))).collect()
}

/// [`matched`] for the network's own names behind `prefix`.
fn by_name(
    path: &Path,
    wanted: &[&Foreign],
    given: &[(&str, &[usize])],
    skip: Option<&str>,
    prefix: &str,
) -> Result<HashMap<String, String>> {
    let skipped = |name: &str| Some(module(name)) == skip;
    for tensor in wanted.iter().filter(|tensor| !skipped(&tensor.name)) {
        match given.iter().find(|(name, _)| name[prefix.len()..] == tensor.name) {
            None => return wrong(path, &tensor.name, "the network has this tensor, the file has not"),
            Some((name, shape)) if *shape != tensor.shape => return wrong(path, name, &differ(&tensor.shape, shape)),
            Some(_) => {}
        }
    }
    let own = |name: &str| skipped(name) || wanted.iter().any(|tensor| tensor.name == name);
    match given.iter().find(|(name, _)| !own(&name[prefix.len()..])) {
        Some((extra, _)) => wrong(path, extra, "the file has this tensor, the network has not"),
        None => Ok(wanted.iter().map(|tensor| (tensor.name.clone(), format!("{prefix}{}", tensor.name))).collect()),
    }
}

/// [`matched`] for modules whose names are numbers and words.
fn by_order(
    path: &Path,
    wanted: &[&Foreign],
    given: &[(&str, &[usize])],
    skip: Option<&str>,
) -> Result<HashMap<String, String>> {
    let ours = modules(wanted.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice())));
    let theirs = modules(given.iter().copied());
    let order = match order::find(&ours, &theirs, skip) {
        Found::One(order) => order,
        Found::None { place, message } => return wrong(path, &place, &message),
        Found::TooMany => {
            return wrong(path, "", &format!("its modules have too many orders to try them all; {RENAME}"));
        }
        Found::Several([one, other]) => {
            let at = one.iter().zip(&other).position(|(one, other)| one != other).unwrap_or(0);
            let [one, other] = [one[at], other[at]].map(|module| theirs[module].name);
            let own = ours[at].name;
            return wrong(path, "", &format!("both `{one}` and `{other}` could be `{own}` of the network; {RENAME}"));
        }
    };
    let tensors = |(own, their): (&Module<'_>, usize)| {
        let pair = |leaf: &str| (order::join(own.name, leaf), order::join(theirs[their].name, leaf));
        own.tensors.iter().map(|(leaf, _)| pair(leaf)).collect::<Vec<_>>()
    };
    Ok(ours.iter().zip(order).flat_map(tensors).collect())
}

/// Tensors by their modules, in the order in which these come first.
fn modules<'a>(tensors: impl Iterator<Item = (&'a str, &'a [usize])>) -> Vec<Module<'a>> {
    let (mut all, mut places) = (Vec::new(), HashMap::new());
    for (name, shape) in tensors {
        let place = *places.entry(module(name)).or_insert_with(|| {
            all.push(Module { name: module(name), tensors: Vec::new() });
            all.len() - 1
        });
        all[place].tensors.push((leaf(name), shape));
    }
    all
}

fn wrong<T>(path: &Path, place: &str, message: &str) -> Result<T> {
    let path = path.display();
    let place = if place.is_empty() { path.to_string() } else { format!("{path}: {place}") };
    Err(Error::new(ErrorKind::Shape, place, message))
}

/// That a tensor has another shape.
pub fn differ(own: &[usize], given: &[usize]) -> String {
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
