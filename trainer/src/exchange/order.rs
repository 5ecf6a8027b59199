//! The orders in which the modules of a file can be those of a network.
//!
//! The parts of the modules' names make a tree. Parts that differ in their number only (`0`, `1`; `block1`, `block2`) run in the order of the
//! numbers; a file does not say in which order others do (`features`, `classifier`). A module's parts run before what is beside it begins.
//! So the search goes through the tree, at each place with a choice through all that fit.

use std::collections::HashMap;

use super::names::differ;

/// How often a part of the tree is tried at a place.
const STEPS: usize = 100_000;

/// A module that has parameters.
#[derive(Debug)]
pub struct Module<'a> {
    /// Its name.
    pub name: &'a str,
    /// Names within it and shapes.
    pub tensors: Vec<(&'a str, &'a [usize])>,
}

/// For each module of the network which one of the file it is.
pub type Order = Vec<usize>;

/// What the search found.
#[derive(Debug)]
pub enum Found {
    /// The only order that fits.
    One(Order),
    /// Two of the orders that fit.
    Several([Order; 2]),
    /// No order: what stands in the way, and where.
    None { place: String, message: String },
    /// More possibilities than are tried.
    TooMany,
}

/// All orders of `theirs` in which they fit `ours`; `skip` of ours fits with any shapes.
pub fn find(ours: &[Module], theirs: &[Module], skip: Option<&str>) -> Found {
    let mut strict = Search::new(ours, theirs, skip);
    let fits = strict.run();
    match <[Order; 2]>::try_from(fits) {
        Ok(two) => return Found::Several(two),
        Err(one) if strict.steps >= STEPS && !one.is_empty() => return Found::TooMany,
        Err(mut one) => {
            if let Some(order) = one.pop() {
                return Found::One(order);
            }
        }
    }
    // With one fault let pass the order is the one that is meant.
    let mut tolerant = Search { tolerant: true, ..Search::new(ours, theirs, skip) };
    tolerant.run();
    match (tolerant.culprit, strict.furthest) {
        (Some((place, message)), _) => Found::None { place, message },
        (None, Some((_, (place, message)))) if strict.steps < STEPS => Found::None { place, message },
        _ => Found::TooMany,
    }
}

/// A place in the tree of names.
struct Group {
    parent: usize,
    /// What runs in an order that is known, each.
    chains: Vec<Chain>,
    /// Children not taken yet.
    left: usize,
}

#[derive(Default)]
struct Chain {
    children: Vec<Child>,
    taken: usize,
}

#[derive(Clone, Copy)]
enum Child {
    Group(usize),
    Module(usize),
}

/// A child that was taken.
struct Step {
    group: usize,
    chain: usize,
    child: Child,
    /// How many of our modules have been dealt with by it.
    advance: usize,
    is_fault: bool,
}

/// Place and message of an error.
type Culprit = (String, String);

struct Search<'a> {
    ours: &'a [Module<'a>],
    theirs: &'a [Module<'a>],
    skip: Option<&'a str>,
    groups: Vec<Group>,
    taken: Vec<Step>,
    /// How many of ours have been dealt with.
    at: usize,
    steps: usize,
    /// Of all failures that which came last in the network.
    furthest: Option<(usize, Culprit)>,
    /// Whether one module may be wrong, missing or too many, and that of the first order which fits so.
    tolerant: bool,
    culprit: Option<Culprit>,
}

impl<'a> Search<'a> {
    fn new(ours: &'a [Module<'a>], theirs: &'a [Module<'a>], skip: Option<&'a str>) -> Self {
        let (groups, taken) = (tree(theirs), Vec::new());
        Self { ours, theirs, skip, groups, taken, at: 0, steps: 0, furthest: None, tolerant: false, culprit: None }
    }

    /// The orders that fit, two at most.
    fn run(&mut self) -> Vec<Order> {
        let mut fits = Vec::new();
        let (mut group, mut from) = (0, 0);
        while self.steps < STEPS {
            while self.groups[group].left == 0 && group > 0 {
                group = self.groups[group].parent;
            }
            let all_taken = self.groups[group].left == 0;
            let all_found = self.at == self.ours.len();
            let chain = if all_taken || all_found { None } else { self.chain(group, from) };
            if all_taken && all_found {
                fits.push(self.order());
                self.culprit = self.fault();
                if fits.len() == 2 || self.tolerant {
                    break;
                }
            } else if all_taken || all_found {
                self.fail(None);
            }
            (group, from) = match (chain, self.taken.last()) {
                (Some(chain), _) => self.take(group, chain),
                (None, Some(_)) => self.undo(),
                (None, None) => break,
            };
        }
        fits
    }

    /// The next chain of a group that has children left.
    fn chain(&self, group: usize, from: usize) -> Option<usize> {
        let chains = &self.groups[group].chains;
        (from..chains.len()).find(|at| chains[*at].taken < chains[*at].children.len())
    }

    /// Takes the first child of a chain; group and chain to go on with.
    fn take(&mut self, group: usize, chain: usize) -> (usize, usize) {
        self.steps += 1;
        let Chain { children, taken } = &self.groups[group].chains[chain];
        let child = children[*taken];
        let (advance, is_fault) = match child {
            Child::Group(_) => (0, false),
            Child::Module(module) => match self.tried(module) {
                Some(advance) => advance,
                None => return (group, chain + 1),
            },
        };
        self.groups[group].left -= 1;
        self.groups[group].chains[chain].taken += 1;
        self.at += advance;
        self.taken.push(Step { group, chain, child, advance, is_fault });
        match child {
            Child::Group(inner) => (inner, 0),
            Child::Module(_) => (group, 0),
        }
    }

    /// Takes the last step back; group and chain to go on with.
    fn undo(&mut self) -> (usize, usize) {
        let Some(Step { group, chain, advance, .. }) = self.taken.pop() else { return (0, 0) };
        self.groups[group].left += 1;
        self.groups[group].chains[chain].taken -= 1;
        self.at -= advance;
        (group, chain + 1)
    }

    /// How many of ours are dealt with when `module` comes next, and whether that is the fault that is let pass.
    fn tried(&mut self, module: usize) -> Option<(usize, bool)> {
        let (ours, their) = (self.ours, &self.theirs[module]);
        if self.fits(ours.get(self.at)?, their) {
            return Some((1, false));
        }
        self.fail(Some(module));
        if !self.tolerant || self.taken.iter().any(|step| step.is_fault) {
            return None;
        }
        match self.theirs.len() as isize - ours.len() as isize {
            0 => Some((1, true)),
            1 => Some((0, true)),
            -1 if ours.get(self.at + 1).is_some_and(|next| self.fits(next, their)) => Some((2, true)),
            _ => None,
        }
    }

    fn fits(&self, own: &Module, their: &Module) -> bool {
        let any_shape = self.skip == Some(own.name);
        let same = |(leaf, shape): &(&str, &[usize])| {
            their.tensors.iter().any(|(known, given)| known == leaf && (any_shape || given == shape))
        };
        own.tensors.len() == their.tensors.len() && own.tensors.iter().all(same)
    }

    fn order(&self) -> Order {
        let modules = self.taken.iter().filter_map(|step| match step.child {
            Child::Module(module) => Some(module),
            Child::Group(_) => None,
        });
        modules.collect()
    }

    /// The fault that was let pass.
    fn fault(&self) -> Option<Culprit> {
        let at = self.taken.iter().position(|step| step.is_fault)?;
        let own = self.ours.get(self.taken[..at].iter().map(|step| step.advance).sum::<usize>());
        match (self.taken[at].child, self.taken[at].advance) {
            (Child::Module(module), 0) => Some(self.culprit(None, Some(module))),
            (Child::Module(module), 1) => Some(self.culprit(own, Some(module))),
            _ => Some(self.culprit(own, None)),
        }
    }

    /// A module of theirs that is left.
    fn untaken(&self) -> Option<usize> {
        let taken = self.order();
        (0..self.theirs.len()).find(|module| !taken.contains(module))
    }

    /// Notes that the next of ours is not `module`, or that there is no next of ours or theirs.
    fn fail(&mut self, module: Option<usize>) {
        if self.furthest.as_ref().is_none_or(|(at, _)| self.at > *at) {
            let their = module.or_else(|| self.untaken());
            self.furthest = Some((self.at, self.culprit(self.ours.get(self.at), their)));
        }
    }

    /// Why one of ours, or none, is not one of theirs, or none.
    fn culprit(&self, own: Option<&Module>, their: Option<usize>) -> Culprit {
        let counts =
            format!("the file has {} modules with parameters, the network has {}", self.theirs.len(), self.ours.len());
        let own_name = own.map_or("", |own| own.name);
        let Some(their) = their.map(|module| &self.theirs[module]) else {
            return (own_name.into(), format!("the file has nothing that fits it: {counts}"));
        };
        let Some(own) = own else {
            let leaf = their.tensors.first().map_or("", |(leaf, _)| leaf);
            return (join(their.name, leaf), format!("the network has nothing that fits it: {counts}"));
        };
        for (leaf, shape) in &own.tensors {
            match their.tensors.iter().find(|(known, _)| known == leaf) {
                None => {
                    return (their.name.into(), format!("has no `{leaf}`, which `{own_name}` of the network has"));
                }
                Some((_, given)) if given != shape && self.skip != Some(own.name) => {
                    let message = format!("for `{own_name}.{leaf}` of the network: {}", differ(shape, given));
                    return (join(their.name, leaf), message);
                }
                Some(_) => {}
            }
        }
        let extra = their.tensors.iter().find(|(leaf, _)| own.tensors.iter().all(|(known, _)| known != leaf));
        let message = format!("`{own_name}`, which is this module in the network, has no such tensor");
        (join(their.name, extra.map_or("", |(leaf, _)| leaf)), message)
    }
}

/// A tensor's name by its module's and its own there.
pub fn join(module: &str, leaf: &str) -> String {
    if module.is_empty() { leaf.into() } else { format!("{module}.{leaf}") }
}

/// The tree of the modules' names; a module is alone in the group of its name, or the first there.
fn tree(modules: &[Module]) -> Vec<Group> {
    let mut places = HashMap::new();
    let mut children: Vec<Vec<(&str, Child)>> = vec![Vec::new()];
    let mut parents = vec![0];
    for (at, module) in modules.iter().enumerate() {
        let mut group = 0;
        for part in module.name.split('.') {
            group = *places.entry((group, part)).or_insert_with(|| {
                children[group].push((part, Child::Group(parents.len())));
                children.push(Vec::new());
                parents.push(group);
                parents.len() - 1
            });
        }
        children[group].push(("", Child::Module(at)));
    }
    let group = |(parent, mut children): (usize, Vec<(&str, Child)>)| {
        children.sort_by_key(|(part, _)| (numbered(part), *part));
        let known =
            |a: &str, b: &str| numbered(a).0 == numbered(b).0 && numbered(a).1.is_some() && numbered(b).1.is_some();
        let chains = children.chunk_by(|(a, _), (b, _)| known(a, b));
        let chains = chains.map(|chain| Chain { children: chain.iter().map(|(_, child)| *child).collect(), taken: 0 });
        Group { parent, chains: chains.collect(), left: children.len() }
    };
    parents.into_iter().zip(children).map(group).collect()
}

/// A part of a name without the number that it ends with, and the number.
fn numbered(part: &str) -> (&str, Option<usize>) {
    let text = part.trim_end_matches(|c: char| c.is_ascii_digit());
    match part[text.len()..].parse() {
        Ok(number) => (text, Some(number)),
        Err(_) => (part, None),
    }
}
