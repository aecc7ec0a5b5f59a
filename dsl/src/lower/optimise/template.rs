//! Output templates: what is the same in every event is written as one piece.
//!
//! - A line whose value is a constant becomes the JSON that stands for it, with the captions that follow from it.
//! - A line that never has a value is left out, and so is an object or list that nothing is left of.
//! - An object of constants becomes a constant itself.
//! - Constants that stand behind each other become one member.
//! - An object is marked as complete where nothing that it needs can be absent; then nothing is looked at.
//!
//! Members that a constraint still has to look at keep their numbers: they are neither merged nor left out. So do those
//! that messages about incomplete events name.

use std::collections::HashSet;

use weir_engine::constant::{fitted, to_json};
use weir_engine::plan::{
    Constant, Element, Emit, Field, Handler, Member, Object, OutputNode, Plan, Policy,
};

use super::{constant, truth};

/// Makes templates of the objects of all emits.
pub(super) fn template(plan: &mut Plan) {
    let mut emits = std::mem::take(&mut plan.emits);
    for emit in &mut emits {
        let Emit { root, constant_lines, .. } = emit;
        let mut named = HashSet::new();
        note_named(root, &mut named);
        let mut template = Template { plan, named, lines: constant_lines };
        template.object(root);
        let mut named = HashSet::new();
        note_named(root, &mut named);
        merge(root, &named);
    }
    plan.emits = emits;
}

/// The numbers of members that constraints name.
fn note_named(object: &Object, named: &mut HashSet<u32>) {
    named.extend(object.at_least_one.iter().flatten());
    for member in &object.members {
        named.extend(&member.unless);
        for_each_object(&member.node, &mut |inner| note_named(inner, named));
    }
}

fn for_each_object(node: &OutputNode, see: &mut dyn FnMut(&Object)) {
    match node {
        OutputNode::Object(object) => see(object),
        OutputNode::List(elements) => {
            for element in elements {
                let (Element::One(object) | Element::Each { object, .. }) = element;
                see(object);
            }
        }
        OutputNode::Constant(_) | OutputNode::Value(_) | OutputNode::Enum(..) => {}
    }
}

/// What became of a member or an element.
enum Becomes {
    /// It is there or not, as the record has it.
    Itself,
    /// It is always there, and with it the members of these numbers in it.
    Always(Vec<u32>),
    /// It is never there.
    Nothing,
}

struct Template<'p> {
    plan: &'p Plan,
    /// Members that constraints name.
    named: HashSet<u32>,
    lines: &'p mut Vec<(String, u32)>,
}

impl Template<'_> {
    fn object(&mut self, object: &mut Object) -> Becomes {
        match object.guard.map(|guard| truth(self.plan, guard)) {
            Some(Some(false)) => return Becomes::Nothing,
            Some(Some(true)) => object.guard = None,
            Some(None) | None => {}
        }
        let mut always = Vec::new();
        let mut members = std::mem::take(&mut object.members);
        members.retain_mut(|member| self.member(member, &mut always));
        for member in &mut members {
            member.required &= !always.contains(&member.present);
        }
        object.members = members;
        object.at_least_one.retain(|ways| !ways.iter().any(|way| always.contains(way)));
        object.is_complete =
            object.at_least_one.is_empty() && !object.members.iter().any(|member| member.required);
        if object.members.iter().all(|member| member.filler) {
            // Fillers alone are an empty object, which is left out.
            Becomes::Nothing
        } else if object.guard.is_none() && object.is_complete && !always.is_empty() {
            Becomes::Always(always)
        } else {
            Becomes::Itself
        }
    }

    /// False if the member is never there, and nobody would miss it.
    fn member(&mut self, member: &mut Member, always: &mut Vec<u32>) -> bool {
        let becomes = self.node(&mut member.node);
        let is_free = member.unless.is_empty() && !member.filler;
        match becomes {
            Becomes::Always(within) if is_free => {
                always.push(member.present);
                always.extend(within);
            }
            Becomes::Nothing => return member.required || self.named.contains(&member.present),
            Becomes::Always(_) | Becomes::Itself => {}
        }
        true
    }

    fn node(&mut self, node: &mut OutputNode) -> Becomes {
        match node {
            OutputNode::Constant(_) => Becomes::Always(Vec::new()),
            OutputNode::Value(field) => match self.value(field) {
                Some(Some(json)) => {
                    *node = OutputNode::Constant(json);
                    Becomes::Always(Vec::new())
                }
                Some(None) => Becomes::Nothing,
                None => Becomes::Itself,
            },
            OutputNode::Enum(..) => self.enumeration(node),
            OutputNode::Object(object) => self.object(object),
            OutputNode::List(elements) => {
                let mut always = Vec::new();
                elements.retain_mut(|element| match self.element(element) {
                    Becomes::Always(within) => {
                        always.extend(within);
                        true
                    }
                    Becomes::Itself => true,
                    Becomes::Nothing => false,
                });
                match (elements.is_empty(), always.is_empty()) {
                    (true, _) => Becomes::Nothing,
                    (false, false) => Becomes::Always(always),
                    (false, true) => Becomes::Itself,
                }
            }
        }
    }

    fn element(&mut self, element: &mut Element) -> Becomes {
        match element {
            Element::One(object) => self.object(object),
            // What is not looked for here is still counted: an array that is none.
            Element::Each { object, .. } => {
                self.object(object);
                Becomes::Itself
            }
        }
    }

    /// The JSON of a value that is always the same; `Some(None)` if there never is one. None if only the record can tell.
    fn value(&mut self, field: &Field) -> Option<Option<String>> {
        let value = constant(self.plan, field.value)?;
        if *value == Constant::Missing {
            let is_left_out = match field.on_missing {
                Some(Handler::Skip) => true,
                None => field.missing == Policy::Skip,
                Some(Handler::Reject | Handler::Value(_)) => false,
            };
            return is_left_out.then_some(None);
        }
        let json = to_json(&field.check, value)?;
        self.lines.push((field.target.clone(), field.line));
        Some(Some(json))
    }

    fn enumeration(&mut self, node: &mut OutputNode) -> Becomes {
        let OutputNode::Enum(field, echoes) = node else { return Becomes::Itself };
        let Some(value) = constant(self.plan, field.value) else { return Becomes::Itself };
        let Some(Constant::Int(number)) = fitted(&field.check, value) else {
            return Becomes::Itself;
        };
        for echo in &mut *echoes {
            echo.texts.retain(|(of, _)| *of == number);
        }
        echoes.retain(|echo| !echo.texts.is_empty() || echo.other.is_some());
        // Only *Other* is called by the source's own word.
        if number == OTHER && echoes.iter().any(|echo| echo.other.is_some()) {
            return Becomes::Always(Vec::new());
        }
        let mut json = number.to_string();
        for (echo, (_, text)) in
            echoes.iter().flat_map(|echo| echo.texts.first().map(|t| (echo, t)))
        {
            json += &format!(",{}{text}", echo.key);
        }
        self.lines.push((field.target.clone(), field.line));
        *node = OutputNode::Constant(json);
        Becomes::Always(Vec::new())
    }
}

/// The number that means *Other* in every enum.
const OTHER: i64 = 99;

/// Makes one text of what is constant: of objects, and of members that stand behind each other.
fn merge(object: &mut Object, named: &HashSet<u32>) {
    let mut merged: Vec<Member> = Vec::with_capacity(object.members.len());
    for mut member in std::mem::take(&mut object.members) {
        match &mut member.node {
            OutputNode::Object(inner) => merge(inner, named),
            OutputNode::List(elements) => {
                for element in elements {
                    let (Element::One(inner) | Element::Each { object: inner, .. }) = element;
                    merge(inner, named);
                }
            }
            OutputNode::Constant(_) | OutputNode::Value(_) | OutputNode::Enum(..) => {}
        }
        if let Some(json) = node_text(&member.node, named) {
            member.node = OutputNode::Constant(json);
        }
        match (merged.last_mut(), member_text(&member, named)) {
            (Some(before), Some(json)) if member_text(before, named).is_some() => {
                append(before, &member.key, json);
            }
            _ => merged.push(member),
        }
    }
    object.members = merged;
}

/// The text of what is always the same.
fn node_text(node: &OutputNode, named: &HashSet<u32>) -> Option<String> {
    match node {
        OutputNode::Constant(json) => Some(json.clone()),
        OutputNode::Value(_) | OutputNode::Enum(..) => None,
        OutputNode::Object(object) => object_text(object, named),
        OutputNode::List(elements) => {
            let elements = elements.iter().map(|element| match element {
                Element::One(object) => object_text(object, named),
                Element::Each { .. } => None,
            });
            Some(format!("[{}]", elements.collect::<Option<Vec<_>>>()?.join(",")))
        }
    }
}

/// The text of an object that holds nothing but constants: one member, since those are merged.
fn object_text(object: &Object, named: &HashSet<u32>) -> Option<String> {
    let [member] = object.members.as_slice() else { return None };
    let is_fixed = object.is_complete && object.guard.is_none();
    let json = member_text(member, named).filter(|_| is_fixed)?;
    Some(format!("{{{}{json}}}", member.key))
}

/// The JSON of a member that is always there and that no constraint names.
fn member_text<'m>(member: &'m Member, named: &HashSet<u32>) -> Option<&'m str> {
    match &member.node {
        OutputNode::Constant(json)
            if !member.required
                && !member.filler
                && member.unless.is_empty()
                && !named.contains(&member.present) =>
        {
            Some(json)
        }
        _ => None,
    }
}

fn append(before: &mut Member, key: &str, json: &str) {
    if let OutputNode::Constant(text) = &mut before.node {
        before.key.push_str(text);
        before.key.push(',');
        before.key.push_str(key);
        json.clone_into(text);
    }
}
