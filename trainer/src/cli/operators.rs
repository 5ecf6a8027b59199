//! `ackermann operators`: which operators there are, on which elements, and which machines have kernels of their own for them.
//! All of it is read from the core's own tables; README.md holds the same table, and a test compares.

use super::Output;
use super::args::OperatorsArgs;
use super::output::print;
use crate::Result;
use crate::report::Table;
use ackermann_core::blob::Element;
use ackermann_core::ops::{Dsp, Kernels, Mve, Neon, Opcode, Selected};
use serde_json::json;

/// What comes before the table, and after it, in README.md.
#[cfg(test)]
const MARKERS: [&str; 2] = ["<!-- operators -->\n", "<!-- /operators -->"];

/// The machines with kernels of their own, and those kernels. An x86 host alone has those of AVX2 and VNNI in it.
const MACHINES: &[(&str, &[&str])] = &[
    ("DSP", Dsp::OWN),
    ("Helium", Mve::OWN),
    ("NEON", Neon::OWN),
    #[cfg(target_arch = "x86_64")]
    ("AVX2 and VNNI", Selected::OWN),
];

/// Lists the operators.
pub fn operators(args: &OperatorsArgs, output: Output) -> Result<()> {
    if args.markdown {
        return print(format_args!("{}", markdown()));
    }
    let header = header();
    let mut table = Table::new(header.clone()).left_columns(header.len());
    let mut list = Vec::new();
    for &opcode in Opcode::ALL {
        table.row(row(opcode));
        let own: Vec<_> = MACHINES.iter().filter(|(_, own)| has(own, opcode)).map(|(machine, _)| machine).collect();
        list.push(
            json!({ "name": opcode.name(), "opcode": opcode as u8, "elements": elements(opcode), "kernels": own }),
        );
    }
    output.finish(table.to_terminal(), &json!({ "operators": list }))
}

/// The table for README.md.
fn markdown() -> String {
    let header = header();
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rows = Opcode::ALL.iter().map(|&opcode| line(&row(opcode)));
    format!("{}|{}\n", line(&header), "---|".repeat(header.len())) + &rows.collect::<String>()
}

fn header() -> Vec<String> {
    let machines = MACHINES.iter().map(|(machine, _)| *machine);
    ["operator", "any machine"].into_iter().chain(machines).map(str::to_string).collect()
}

fn row(opcode: Opcode) -> Vec<String> {
    let machines = MACHINES.iter().map(|(_, own)| if has(own, opcode) { "int8" } else { "" }.to_string());
    [opcode.name().to_string(), elements(opcode).join(", ")].into_iter().chain(machines).collect()
}

/// Whether these kernels are some of this operator's.
fn has(own: &[&str], opcode: Opcode) -> bool {
    own.contains(&opcode.kernel())
}

/// What the loader accepts, under this operator's number or that of the general one.
fn elements(opcode: Opcode) -> Vec<&'static str> {
    let opcodes = || [Some(opcode), opcode.general()].into_iter().flatten();
    let int4 = opcodes().any(Opcode::int4);
    let accepted = Element::ALL.iter().filter(|element| opcodes().any(|opcode| opcode.elements().contains(element)));
    let name = |element: &Element| match element {
        Element::Int8 => "int8",
        Element::Int16 if int4 => "int16x8",
        Element::Int16 => "int16",
        Element::Int32 => "int32",
    };
    accepted.map(name).chain(int4.then_some("int4")).collect()
}

#[cfg(test)]
mod tests;
