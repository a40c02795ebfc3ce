//! Which files of a crate name which others, and the circles among them.
//!
//! A file names another by a path in a `use` tree, in code, or among the tokens of a
//! macro: from `crate`, `self` or `super`, or from a module it declares. What is only
//! compiled for tests does not count.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, Macro, Meta, UseTree};

/// The files of one crate, and which of the others each of them names.
#[derive(Debug, Default)]
pub struct Modules {
    named: BTreeMap<String, BTreeSet<String>>,
}

impl Modules {
    /// Reads the files of a crate: their paths below its `src/`, and their texts.
    ///
    /// # Panics
    /// When a text is not Rust; it would not have been compiled.
    pub fn read<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Modules {
        let files: Vec<(&str, &str)> = files.collect();
        let places: BTreeMap<Vec<String>, String> =
            files.iter().map(|(path, _)| (module_of(path), (*path).to_owned())).collect();
        let mut modules = Modules::default();
        for (path, text) in files {
            let file = syn::parse_file(text).unwrap_or_else(|err| panic!("{path}: {err}"));
            let mut reader = Reader {
                places: &places,
                within: module_of(path),
                of_file: module_of(path),
                named: BTreeSet::new(),
            };
            reader.visit_file(&file);
            reader.named.remove(path);
            modules.named.insert(path.to_owned(), reader.named);
        }
        modules
    }

    /// The groups of files that name each other, directly or through others.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.named.keys().map(|path| (path.as_str(), self.reached_from(path))).collect();
        let mut circles: Vec<Vec<String>> = Vec::new();
        for (path, others) in &reached {
            let back = |other: &&&str| reached[**other].contains(path);
            let circle: Vec<String> =
                others.iter().filter(back).map(|other| (*other).to_owned()).collect();
            if !circle.is_empty() && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// What a file names.
    pub fn named_by(&self, path: &str) -> impl Iterator<Item = &str> {
        self.named.get(path).into_iter().flatten().map(String::as_str)
    }

    fn reached_from(&self, path: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut ahead: Vec<&str> = self.named_by(path).collect();
        while let Some(next) = ahead.pop() {
            if reached.insert(next) {
                ahead.extend(self.named_by(next));
            }
        }
        reached
    }
}

/// The module that a file is: `raft/mod.rs` and `raft.rs` are `raft`.
fn module_of(path: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let root = ["lib", "main", "mod"].contains(&stem);
    if root { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

/// Goes through a file and notes what it names.
struct Reader<'a> {
    places: &'a BTreeMap<Vec<String>, String>,
    /// The module that is read, and the one that the file is.
    within: Vec<String>,
    of_file: Vec<String>,
    named: BTreeSet<String>,
}

impl Reader<'_> {
    fn note(&mut self, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.within.clone(),
            _ => {
                let child = [self.of_file.clone(), vec![first.clone()]].concat();
                if !self.places.contains_key(&child) {
                    return;
                }
                child
            }
        };
        if first == "super" {
            at.pop();
        }
        for segment in rest {
            if segment == "super" {
                at.pop();
            } else {
                at.push(segment.clone());
            }
        }
        // The longest part of the path that is a file; behind it are its items.
        while !at.is_empty() && !self.places.contains_key(&at) {
            at.pop();
        }
        self.named.extend(self.places.get(&at).cloned());
    }

    fn note_tree(&mut self, stem: &[String], tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                self.note_tree(&[stem, &[path.ident.to_string()]].concat(), &path.tree);
            }
            UseTree::Name(name) if name.ident == "self" => self.note(stem),
            UseTree::Name(name) => self.note(&[stem, &[name.ident.to_string()]].concat()),
            UseTree::Rename(name) => self.note(&[stem, &[name.ident.to_string()]].concat()),
            UseTree::Glob(_) => self.note(stem),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_tree(stem, tree)),
        }
    }

    /// Paths among tokens, of which nobody knows what they will be.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if colons == 2 => path.push(ident.to_string()),
                TokenTree::Ident(ident) => {
                    self.note_if_path(&path);
                    path = vec![ident.to_string()];
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => self.note_tokens(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.note_if_path(&path);
                    path.clear();
                }
            }
            colons = 0;
        }
        self.note_if_path(&path);
    }

    fn note_if_path(&mut self, path: &[String]) {
        if path.len() > 1 {
            self.note(path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.within.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.within.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> =
            path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note_if_path(&segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.note_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::Path(_) | Meta::NameValue(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        Modules::read(files.iter().copied()).circles()
    }

    #[test]
    fn a_circle_is_found_however_it_is_named() {
        for (one, other) in [
            ("use crate::b::B;", "use crate::a::A;"),
            ("use super::b;", "use super::{a::A as Z, std};"),
            ("fn f() { crate::b::g() }", "fn g(_: &crate::a::A) {}"),
            ("fn f() { select! { x = crate::b::g() => {} } }", "pub(crate) use crate::a::*;"),
        ] {
            let files = [("lib.rs", "mod a; mod b;"), ("a.rs", one), ("b.rs", other)];
            assert_eq!(circles(&files), [["a.rs", "b.rs"]], "{one} {other}");
        }
    }

    #[test]
    fn parents_and_children_and_detours_count() {
        let parent = "mod child; use child::C; pub struct P;";
        let files = [("lib.rs", "mod p;"), ("p/mod.rs", parent), ("p/child.rs", "use super::P;")];
        assert_eq!(circles(&files), [["p/child.rs", "p/mod.rs"]]);
        let files = [
            ("lib.rs", "mod a; mod b; mod c; pub use a::A;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", "use crate::A;"),
        ];
        assert_eq!(circles(&files), [["a.rs", "b.rs", "c.rs", "lib.rs"]]);
    }

    #[test]
    fn what_is_no_circle_is_none() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A;"),
            ("a.rs", "use crate::b::B; use std::b; use other::a; #[cfg(test)] use crate::A;"),
            ("b.rs", "#[cfg(test)] mod tests { use super::*; use crate::a::A; } fn a() { b::c() }"),
        ];
        assert_eq!(circles(&files), [] as [Vec<String>; 0]);
        assert_eq!(Modules::read(files.into_iter()).named_by("a.rs").collect::<Vec<_>>(), ["b.rs"]);
    }
}
