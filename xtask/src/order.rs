//! Puts functions that are alike beside each other, which is what brotli likes
//! best: the nearer a likeness, the fewer bytes name it.
//!
//! Does not know what the functions do.

use std::collections::HashMap;

use anyhow::{Context, Result};
use walrus::Module;
use wasmparser::{Parser, Payload};

/// Bytes of code that count as one likeness when they stand in two functions.
const SPAN: usize = 5;

/// What stands in more functions than this tells none from another.
const COMMON: usize = 2_000;

/// Less than this is no likeness.
const LIKE: f64 = 0.03;

/// Names the functions of a module so that sorting them by name puts like
/// beside like. What they were named before is lost.
pub(crate) fn by_likeness(module: &mut Module) -> Result<()> {
    let bytes = module.emit_wasm();
    let mut types = Vec::new();
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload? {
            Payload::FunctionSection(section) => {
                types = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::CodeSectionEntry(body) => {
                bodies.push(bytes.get(body.range()).context("a body that is cut short")?);
            }
            _ => {}
        }
    }
    let functions: Vec<Function> =
        types.into_iter().zip(bodies).map(|(kind, body)| Function { kind, body }).collect();

    // The functions in the order in which they were written.
    *module = Module::from_buffer(&bytes)?;
    let mut places = vec![0; functions.len()];
    for (place, function) in chain(&functions).into_iter().enumerate() {
        places[function] = place;
    }
    let ids: Vec<_> = module.funcs.iter_local().map(|(id, _)| id).collect();
    for (id, place) in ids.into_iter().zip(places) {
        module.funcs.get_mut(id).name = Some(format!("{place:06}"));
    }
    Ok(())
}

/// A function as it is written: the number of its type, and its code.
struct Function<'a> {
    kind: u32,
    body: &'a [u8],
}

/// An order in which each function is followed by the one most like it of those
/// of its type that are left; where none is like it, the first that is left.
fn chain(functions: &[Function<'_>]) -> Vec<usize> {
    let spans: Vec<Vec<u64>> = functions.iter().map(|function| spans(function.body)).collect();
    let mut holders: HashMap<u64, Vec<usize>> = HashMap::new();
    for (function, spans) in spans.iter().enumerate() {
        for span in spans {
            holders.entry(*span).or_default().push(function);
        }
    }
    let mut first: Vec<usize> = (0..functions.len()).collect();
    first.sort_by_key(|at| (functions[*at].kind, functions[*at].body));
    let mut first = first.into_iter();

    let mut left = vec![true; functions.len()];
    let mut shared = vec![0; functions.len()];
    let mut order = Vec::with_capacity(functions.len());
    let mut next = first.next();
    while let Some(last) = next {
        left[last] = false;
        order.push(last);
        let mut seen = Vec::new();
        for holders in spans[last].iter().map(|span| &holders[span]).filter(|list| list.len() <= COMMON) {
            for other in holders.iter().copied() {
                if left[other] && functions[other].kind == functions[last].kind {
                    if shared[other] == 0 {
                        seen.push(other);
                    }
                    shared[other] += 1;
                }
            }
        }
        // What two share, of what either has; of two as like, the first.
        let likeness = |other: usize| {
            let both = shared[other];
            f64::from(both) / (spans[last].len() + spans[other].len() - both as usize) as f64
        };
        let best = seen.iter().copied().max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)).then(b.cmp(a)));
        next = best.filter(|best| likeness(*best) >= LIKE).or_else(|| first.find(|at| left[*at]));
        for other in seen {
            shared[other] = 0u32;
        }
    }
    order
}

/// Every run of `SPAN` bytes in a function's code, once.
fn spans(body: &[u8]) -> Vec<u64> {
    let number = |span: &[u8]| span.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let mut spans: Vec<u64> = body.windows(SPAN).map(number).collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, ModuleConfig, ValType};

    use super::*;

    #[test]
    fn like_follows_like_within_a_type() {
        let bodies = ["abcdefgh", "12345678", "abcdefgi", "12345679", "abcdefgj"];
        let of = |kinds: [u32; 5]| {
            let functions =
                kinds.into_iter().zip(bodies).map(|(kind, body)| Function { kind, body: body.as_bytes() });
            chain(&functions.collect::<Vec<_>>())
        };
        assert_eq!(of([0, 0, 0, 0, 0]), [1, 3, 0, 2, 4]);
        assert_eq!(of([0, 0, 1, 0, 0]), [1, 3, 0, 4, 2]);
        assert_eq!(chain(&[]), [0; 0]);
    }

    #[test]
    fn names_are_places() -> Result<()> {
        let mut module = Module::with_config(ModuleConfig::new());
        for (name, number) in [("c", 7), ("a", 1_000_000), ("b", 7)] {
            let mut function = FunctionBuilder::new(&mut module.types, &[], &[ValType::I64]);
            function.name(name.to_owned()).func_body().i64_const(number);
            let id = function.finish(vec![], &mut module.funcs);
            module.exports.add(name, id);
        }
        by_likeness(&mut module)?;
        let mut named: Vec<(String, String)> = Vec::new();
        for export in module.exports.iter() {
            if let walrus::ExportItem::Function(id) = export.item {
                let place = module.funcs.get(id).name.clone().unwrap_or_default();
                named.push((place, export.name.clone()));
            }
        }
        named.sort();
        let names: Vec<&str> = named.iter().map(|(_, name)| name.as_str()).collect();
        // The two that are equal stand side by side.
        assert!(matches!(names[..], ["b" | "c", "b" | "c", "a"] | ["a", "b" | "c", "b" | "c"]), "{names:?}");
        Ok(())
    }
}
