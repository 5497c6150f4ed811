//! Takes out of the browser bundle what the linker cannot see is dead.
//!
//! Leptos keeps every view's functions behind pointers, those for ways of
//! hydrating that this project does not use among them: a tenth of the module.
//! Does not know how a module is compiled.

use anyhow::{Result, ensure};
use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module};

/// What functions that nobody calls are named: pages wake up at once
/// (`hydrate_body`), never lazily. The futures of that alone, and not what
/// stands within them: equal functions share one name, and what is called is
/// equal to no future.
const UNUSED: &str = "hydrate_async";

fn is_unused(name: &str) -> bool {
    let hash = name.rfind("::h").unwrap_or(name.len());
    let future = name[..hash].trim_end_matches("::{{closure}}");
    future.len() < hash && future.ends_with(UNUSED)
}

/// Empties the unused functions of a module that still has its names, and
/// drops what only they needed.
pub(crate) fn unused(module: &mut Module) -> Result<()> {
    let emptied = empty(module, is_unused);
    // Nothing found means that names or Leptos have changed.
    ensure!(emptied > 0, "the module names no {UNUSED}");
    walrus::passes::gc::run(module);
    Ok(())
}

/// Makes a trap of every function whose name is `unused`; tells how many.
fn empty(module: &mut Module, unused: impl Fn(&str) -> bool) -> usize {
    let found: Vec<FunctionId> = module
        .funcs
        .iter_local()
        .filter(|(id, _)| module.funcs.get(*id).name.as_deref().is_some_and(&unused))
        .map(|(id, _)| id)
        .collect();
    for id in &found {
        let of = module.types.get(module.funcs.get(*id).ty());
        let (params, results) = (of.params().to_vec(), of.results().to_vec());
        let mut trap = FunctionBuilder::new(&mut module.types, &params, &results);
        trap.func_body().unreachable();
        let arguments = params.iter().map(|kind| module.locals.add(*kind)).collect();
        module.funcs.get_mut(*id).kind = FunctionKind::Local(trap.local_func(arguments));
    }
    found.len()
}

#[cfg(test)]
mod tests {
    use walrus::ValType;

    use super::*;

    /// A function of one number that adds 1 to it.
    fn add(module: &mut Module, name: &str) -> FunctionId {
        let mut function = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[ValType::I32]);
        function.name(name.to_owned());
        let given = module.locals.add(ValType::I32);
        function.func_body().local_get(given).i32_const(1).binop(walrus::ir::BinaryOp::I32Add);
        function.finish(vec![given], &mut module.funcs)
    }

    fn size(module: &Module, id: FunctionId) -> u64 {
        module.funcs.get(id).kind.unwrap_local().size()
    }

    #[test]
    fn futures_are_told_from_what_stands_within_them() {
        for (name, expected) in [
            ("<T as View>::hydrate_async::{{closure}}::h0123456789abcdef", true),
            ("<F as View>::hydrate_async::{{closure}}::{{closure}}::h0123456789abcdef", true),
            ("<T as View>::hydrate_async::{{closure}}::inner_1::h0123456789abcdef", false),
            ("<T as View>::hydrate_async::h0123456789abcdef", false),
            ("<T as View>::hydrate::{{closure}}::h0123456789abcdef", false),
        ] {
            assert_eq!(is_unused(name), expected, "{name}");
        }
    }

    #[test]
    fn only_the_unused_is_emptied() {
        let mut module = Module::default();
        let (kept, unused) = (add(&mut module, "hydrate"), add(&mut module, "View::hydrate_async"));
        module.exports.add("kept", kept);
        module.exports.add("unused", unused);
        assert_eq!((size(&module, kept), size(&module, unused)), (3, 3));

        assert_eq!(empty(&mut module, |name| name.contains("hydrate_async")), 1);

        // The trap alone is left of the one; the other adds as before.
        assert_eq!((size(&module, kept), size(&module, unused)), (3, 1));
        assert!(Module::from_buffer(&module.emit_wasm()).is_ok());
        assert_eq!(empty(&mut module, |name| name.contains("no such name")), 0);
    }
}
