//! `emit class { ... }`: the lines of an event, against the schema.
//!
//! First the lines build a *draft*: a tree of objects as the schema shapes them, in the order of the file. Then what is
//! derived is put in (`derive`). Last, `finish` looks at each object whole: what OCSF requires of it, and whether it can
//! ever be valid.

use weir_engine::plan::{Check, Policy};
use weir_engine::types::Type;

use super::Checker;
use super::attributes::Meant;
use super::enums::{Listed, sibling};
use super::event::{Columns, Line, set_twice};
use super::ocsf_types::{Wanted, wanted};
use crate::ast::{self, Entry};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Expr, Field, LoopId, OutputNode, Path};
use crate::ocsf::{
    Attribute, AttributeType, Attributes, Class, Constraint, ConstraintKind, Object, Requirement,
};
use crate::source::Span;
use weir_engine::suggest::nearest;

/// What the schema says of an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Class(&'static Class),
    Object(&'static Object),
    /// Anything goes: `unmapped`, and JSON of our own.
    Free,
}

impl Shape {
    pub(super) fn attributes(self) -> Option<&'static Attributes> {
        match self {
            Self::Class(class) => Some(&class.attributes),
            Self::Object(object) => Some(&object.attributes),
            Self::Free => None,
        }
    }

    fn constraints(self) -> &'static [Constraint] {
        match self {
            Self::Class(class) => &class.constraints,
            Self::Object(object) => &object.constraints,
            Self::Free => &[],
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Class(class) => class.name,
            Self::Object(object) => object.name,
            Self::Free => "object",
        }
    }
}

/// An object while its lines are read.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) shape: Shape,
    /// The first words that mention it.
    pub(super) span: Span,
    /// Its way from the event, `actor.user`; empty for the event.
    pub(super) way: String,
    pub(super) members: Vec<DraftMember>,
    pub(super) guard: Option<Expr>,
}

#[derive(Debug)]
pub(super) struct DraftMember {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) filler: bool,
    pub(super) node: DraftNode,
}

#[derive(Debug)]
pub(super) enum DraftNode {
    Leaf(OutputNode),
    Object(Draft),
    List(Vec<DraftElement>),
}

#[derive(Debug)]
pub(super) struct DraftElement {
    pub(super) object: Draft,
    /// Array, loop, bound.
    pub(super) each: Option<(Path, LoopId, u32)>,
}

impl Draft {
    pub(super) fn new(shape: Shape, span: Span, way: String) -> Self {
        Self { shape, span, way, members: Vec::new(), guard: None }
    }

    pub(super) fn get(&self, name: &str) -> Option<&DraftMember> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Is a member written, by a line of its own or as an echo of an enum?
    fn writes(&self, name: &str) -> bool {
        self.members.iter().any(|member| {
            member.name == name
                || matches!(&member.node, DraftNode::Leaf(OutputNode::Enum(_, echoes))
                    if echoes.iter().any(|echo| echo.name == name))
        })
    }

    pub(super) fn way_of(&self, name: &str) -> String {
        if self.way.is_empty() { name.to_owned() } else { format!("{}.{name}", self.way) }
    }

    /// The object under a name, made if it is not there yet.
    pub(super) fn object(&mut self, name: &str, shape: Shape, span: Span) -> Option<&mut Self> {
        let at = match self.members.iter().position(|member| member.name == name) {
            Some(at) => at,
            None => {
                let way = self.way_of(name);
                self.push(name, span, DraftNode::Object(Self::new(shape, span, way)));
                self.members.len() - 1
            }
        };
        match &mut self.members[at].node {
            DraftNode::Object(object) => Some(object),
            DraftNode::Leaf(_) | DraftNode::List(_) => None,
        }
    }

    pub(super) fn push(&mut self, name: &str, span: Span, node: DraftNode) {
        self.members.push(DraftMember { name: name.to_owned(), span, filler: false, node });
    }
}

/// Where a line stands: its object, and whether everything on the way there is required.
struct Place<'d> {
    object: &'d mut Draft,
    attribute: Option<&'static Attribute>,
    required: bool,
}

impl<'a> Checker<'a> {
    /// Checks an `emit`; the columns are those of the block around it.
    pub(super) fn emit(&mut self, emit: &'a ast::Emit, around: &Columns) -> Option<hir::Emit> {
        let mark = self.names.enter();
        let mut own = None;
        for entry in &emit.entries {
            match entry {
                Entry::Let(item) => self.define_let(item),
                Entry::Event(event) => own = Some(self.event(event, around)),
                Entry::Add { .. } | Entry::Object { .. } | Entry::Assign { .. } => {}
            }
        }
        let columns = own.as_ref().unwrap_or(around);
        let fields = self.complete_columns(columns, &emit.class);
        let checked = self.emit_body(emit, fields, columns);
        self.names.leave(mark);
        checked
    }

    fn emit_body(
        &mut self,
        emit: &'a ast::Emit,
        fields: Option<Vec<Field>>,
        columns: &Columns,
    ) -> Option<hir::Emit> {
        let class = self.class(&emit.class)?;
        self.emitted.push(class.name);
        let before = self.reports.errors();
        let mut root = Draft::new(Shape::Class(class), emit.class.span, String::new());
        self.entries(&emit.entries, &mut root, true);
        let fields = fields?;
        self.derive(&mut root, class, &fields, emit.class.span);
        // Lines that were refused would show as lacking attributes.
        let report = self.reports.errors() == before;
        let root = self.finish_object(root, true, report);
        Some(hir::Emit {
            class: class.name.to_owned(),
            columns: fields,
            extra: columns.extra.clone(),
            root,
            span: emit.class.span,
        })
    }

    pub(super) fn class(&mut self, name: &ast::Name) -> Option<&'static Class> {
        let schema = self.head.schema;
        if let Some(class) = schema.class(&name.node) {
            return Some(class);
        }
        let report = Diagnostic::error(
            "W0201",
            name.span,
            format!("OCSF {} has no class `{}`", schema.version, name.node),
            "unknown class",
        )
        .label(self.head.version_span, "the version that this file pins");
        let known = schema.classes.iter().map(|class| class.name);
        let report = match nearest(&name.node, known) {
            Some(near) => report.help(format!("did you mean `{near}`?")).fix(
                format!("{} -> {near}", name.node),
                name.span,
                near,
            ),
            None => report.help("where nothing fits, `api_activity` does"),
        };
        self.report(report);
        None
    }

    fn entries(&mut self, entries: &'a [Entry], object: &mut Draft, required: bool) {
        for entry in entries {
            match entry {
                Entry::Event(_) | Entry::Let(_) => {}
                Entry::Assign { target, value } => self.assign(target, value, object, required),
                Entry::Object { target, object: block } => {
                    self.object_entry(target, block, object, required);
                }
                Entry::Add { target, header, object: block, .. } => {
                    self.add(target, header.as_ref(), block, object);
                }
            }
        }
    }

    /// Lets of a block, then its lines.
    fn object_block(&mut self, block: &'a ast::ObjectBlock, object: &mut Draft, required: bool) {
        let mark = self.names.enter();
        for entry in &block.entries {
            match entry {
                Entry::Let(item) => self.define_let(item),
                Entry::Event(event) => self.report(
                    Diagnostic::error(
                        "W0503",
                        event.keyword,
                        "`event` belongs to a whole event, not to an object in it",
                        "not here",
                    )
                    .help("move it up, directly into the `emit`"),
                ),
                Entry::Add { .. } | Entry::Object { .. } | Entry::Assign { .. } => {}
            }
        }
        self.entries(&block.entries, object, required);
        self.names.leave(mark);
    }

    fn object_entry(
        &mut self,
        target: &'a ast::Target,
        block: &'a ast::ObjectBlock,
        object: &mut Draft,
        required: bool,
    ) {
        let Some(place) = self.descend(object, &target.keys, required) else { return };
        let Some(last) = target.keys.last() else { return };
        let shape = match place.attribute {
            None => Some(Shape::Free),
            Some(attribute) if attribute.is_array => {
                self.is_a_list(target);
                None
            }
            Some(attribute) => self.shape_of(attribute),
        };
        let Some(shape) = shape else {
            if place.attribute.is_some_and(|attribute| !attribute.is_array) {
                self.report(
                    Diagnostic::error(
                        "W0302",
                        target.span,
                        format!("`{}` is a single value, not an object", last.node),
                        "takes no block",
                    )
                    .help(format!("write `{} = ...`", last.node)),
                );
            }
            return;
        };
        match place.object.object(&last.node, shape, target.span) {
            Some(inner) => self.object_block(block, inner, place.required),
            None => {
                self.report(
                    Diagnostic::error(
                        "W0204",
                        target.span,
                        format!("`{}` is set as a value above", last.node),
                        "an object here",
                    )
                    .help("keep one of them"),
                );
            }
        }
    }

    fn add(
        &mut self,
        target: &'a ast::Target,
        header: Option<&'a ast::Loop>,
        block: &'a ast::ObjectBlock,
        object: &mut Draft,
    ) {
        let Some(place) = self.descend(object, &target.keys, false) else { return };
        let Some(last) = target.keys.last() else { return };
        let shape = place
            .attribute
            .filter(|attribute| attribute.is_array)
            .and_then(|attribute| self.shape_of(attribute));
        let Some(shape) = shape else {
            self.report(
                Diagnostic::error(
                    "W0302",
                    target.span,
                    format!("`{}` is no list of objects", last.node),
                    "nothing can be added",
                )
                .help(format!("write `{} {{ ... }}` or `{} = ...`", last.node, last.node)),
            );
            return;
        };
        let mut element = Draft::new(shape, target.span, place.object.way_of(&last.node));
        let each = match header {
            None => {
                self.object_block(block, &mut element, false);
                None
            }
            Some(header) => match self.add_each(header, block, &mut element) {
                Some(each) => Some(each),
                None => return,
            },
        };
        let at = place.object.members.iter().position(|member| member.name == last.node);
        let element = DraftElement { object: element, each };
        match at.map(|at| &mut place.object.members[at].node) {
            Some(DraftNode::List(list)) => list.push(element),
            _ => place.object.push(&last.node, target.span, DraftNode::List(vec![element])),
        }
    }

    fn add_each(
        &mut self,
        header: &'a ast::Loop,
        block: &'a ast::ObjectBlock,
        element: &mut Draft,
    ) -> Option<(Path, LoopId, u32)> {
        let (array, id, max, mark) = self.enter_loop(header)?;
        let outer = self.current_loop.replace(id);
        self.object_block(block, element, false);
        self.current_loop = outer;
        self.names.leave(mark);
        Some((array, id, max))
    }

    /// Goes down to the object that the last key is a member of, and looks that key up in the schema.
    fn descend<'d>(
        &mut self,
        object: &'d mut Draft,
        keys: &[ast::Name],
        required: bool,
    ) -> Option<Place<'d>> {
        let (last, way) = keys.split_last()?;
        let (mut object, mut required) = (object, required);
        for key in way {
            let shape = match self.attribute(object, key)? {
                None => Shape::Free,
                Some(attribute) => {
                    required &= self.is_required(attribute);
                    if attribute.is_array {
                        self.report(
                            Diagnostic::error(
                                "W0302",
                                key.span,
                                format!("`{}` is a list, its elements have no name", key.node),
                                "a list",
                            )
                            .help(format!("write `add {} {{ ... }}`", key.node)),
                        );
                        return None;
                    }
                    let Some(shape) = self.shape_of(attribute) else {
                        self.report(
                            Diagnostic::error(
                                "W0203",
                                key.span,
                                format!("`{}` is a single value and has no attributes", key.node),
                                "not an object",
                            )
                            .help(format!("write `{} = ...`", key.node)),
                        );
                        return None;
                    };
                    shape
                }
            };
            let span = key.span;
            object = match object.object(&key.node, shape, span) {
                Some(inner) => inner,
                None => {
                    self.report(
                        Diagnostic::error(
                            "W0204",
                            span,
                            format!("`{}` is set as a value above", key.node),
                            "an object here",
                        )
                        .help("keep one of them"),
                    );
                    return None;
                }
            };
        }
        let attribute = self.attribute(object, last)?;
        let required = required && attribute.is_some_and(|attribute| self.is_required(attribute));
        Some(Place { object, attribute, required })
    }

    pub(super) fn profiles(&self) -> Vec<&str> {
        self.head.profiles.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(super) fn is_required(&self, attribute: &Attribute) -> bool {
        // Some classes leave it optional, but require `type_uid`, which follows from it.
        let is_activity = attribute.name == "activity_id";
        (is_activity || attribute.requirement == Requirement::Required)
            && attribute.exists_with(&self.profiles())
    }

    pub(super) fn shape_of(&self, attribute: &Attribute) -> Option<Shape> {
        match attribute.ty {
            AttributeType::Scalar(_) => None,
            AttributeType::Object("object") => Some(Shape::Free),
            AttributeType::Object(name) => self.head.schema.object(name).map(Shape::Object),
        }
    }

    /// Looks a name up in an object: `Some(None)` where every name does.
    fn attribute(&mut self, object: &Draft, key: &ast::Name) -> Option<Option<&'static Attribute>> {
        if let Some(derived) = self.hash_of_record(object, &key.node) {
            self.is_derived(object, key, derived);
            return None;
        }
        let Some(attributes) = object.shape.attributes() else { return Some(None) };
        let Some(attribute) = attributes.get(&key.node) else {
            self.unknown_attribute(object, key, attributes);
            return None;
        };
        if !attribute.exists_with(&self.profiles()) {
            self.profile_is_off(object, key, attribute);
            return None;
        }
        if let Some(derived) = derived_attribute(object, attribute) {
            self.is_derived(object, key, derived);
            return None;
        }
        if let Some(since) = attribute.deprecated {
            self.report(
                Diagnostic::warning(
                    "W0213",
                    key.span,
                    format!("`{}` is deprecated since OCSF {since}", key.node),
                    "deprecated",
                )
                .help("look for its successor in the schema"),
            );
        }
        Some(Some(attribute))
    }

    fn is_derived(&mut self, object: &Draft, key: &ast::Name, derived: String) {
        let report = Diagnostic::error(
            "W0209",
            key.span,
            format!("`{}` is derived", object.way_of(&key.node)),
            "never written by hand",
        )
        .help(derived);
        let attributes = object.shape.attributes();
        let source = attributes.into_iter().flat_map(Attributes::iter).find(|other| {
            other.sibling == Some(key.node.as_str()) && object.get(other.name).is_none()
        });
        self.report(match source {
            Some(source) => {
                report.fix(format!("{} -> {}", key.node, source.name), key.span, source.name)
            }
            None => report,
        });
    }

    fn unknown_attribute(
        &mut self,
        object: &Draft,
        key: &ast::Name,
        attributes: &'static Attributes,
    ) {
        let version = self.head.schema.version;
        let owner =
            if object.way.is_empty() { object.shape.name().to_owned() } else { object.way.clone() };
        let what = match object.shape {
            Shape::Class(_) => format!("a class of OCSF {version}"),
            Shape::Object(of) => {
                format!("{} `{}` object, OCSF {version}", article(of.name), of.name)
            }
            Shape::Free => String::new(),
        };
        let profiles = self.profiles();
        let known: Vec<&str> = attributes
            .iter()
            .filter(|attribute| attribute.exists_with(&profiles))
            .map(|attribute| attribute.name)
            .collect();
        let mut report = Diagnostic::error(
            "W0203",
            key.span,
            format!("`{owner}` has no attribute `{}`", key.node),
            "unknown here",
        )
        .label(object.span, what);
        let known = shortened(&known);
        let behind = self.source.text.get(key.span.end as usize..).unwrap_or_default();
        let has_steps = behind.starts_with('.') || behind.trim_start().starts_with('{');
        report = match self.meant_attribute(object, &key.node, has_steps) {
            Some(Meant { help, instead: Some(instead) }) => {
                report.help(help).fix(format!("{} -> {instead}", key.node), key.span, instead)
            }
            Some(Meant { help, instead: None }) => report.help(help),
            None => report.help(format!(
                "what has no place in OCSF goes to `unmapped.{}`; this object has {known}",
                key.node
            )),
        };
        self.report(report);
    }

    pub(super) fn profile_is_off(
        &mut self,
        object: &Draft,
        key: &ast::Name,
        attribute: &Attribute,
    ) {
        let version = self.head.schema.version;
        let owner =
            if object.way.is_empty() { object.shape.name().to_owned() } else { object.way.clone() };
        let profile = attribute.profiles.first().copied().unwrap_or_default();
        // One cause: the other lines of this profile keep silent.
        if self.profiles_missed.contains(&profile) {
            return;
        }
        self.profiles_missed.push(profile);
        let (pin, on) = match self.head.profiles.last() {
            Some((_, last)) => (*last, "other profiles are switched on here"),
            None => (self.head.version_span, "no profiles are switched on here"),
        };
        let (help, insert) = match self.head.profiles.last() {
            Some(_) => (
                format!("add `, {profile}` to the `ocsf` line"),
                format!("{}, {profile}", self.source.slice(pin)),
            ),
            None => (
                format!("write `ocsf \"{version}\" with {profile}`"),
                format!("{} with {profile}", self.source.slice(pin)),
            ),
        };
        self.report(
            Diagnostic::error(
                "W0207",
                key.span,
                format!("`{}` is not part of {owner} in this file", key.node),
                format!("comes with the profile `{profile}`"),
            )
            .label(pin, on)
            .help(help)
            .fix(format!("with {profile}"), pin, insert),
        );
    }

    fn is_a_list(&mut self, target: &ast::Target) {
        let text = self.source.slice(target.span).to_owned();
        self.report(
            Diagnostic::error(
                "W0302",
                target.span,
                format!("`{text}` is a list of objects"),
                "one element, or several?",
            )
            .help(format!("write `add {text} {{ ... }}` for each element"))
            .fix(format!("add {text}"), target.span, format!("add {text}")),
        );
    }

    fn assign(
        &mut self,
        target: &'a ast::Target,
        value: &'a ast::Value,
        object: &mut Draft,
        required: bool,
    ) {
        let Some(place) = self.descend(object, &target.keys, required) else { return };
        let Some(last) = target.keys.last() else { return };
        let way = place.object.way_of(&last.node);
        if let Some(first) = place.object.get(&last.node) {
            let first = first.span;
            self.report(set_twice(&way, target.span, first));
            return;
        }
        let node = match place.attribute {
            None => self.free_value(value, way, target.span),
            Some(attribute) => {
                let shape = place.object.shape;
                self.attribute_value(shape, attribute, value, way, target, place.required)
            }
        };
        if let Some(node) = node {
            place.object.push(&last.node, target.span, DraftNode::Leaf(node));
        }
    }

    /// A value under `unmapped`: written as what it is.
    fn free_value(&mut self, value: &'a ast::Value, way: String, span: Span) -> Option<OutputNode> {
        let ty = match self.natural(&value.expr).unwrap_or(Type::Json) {
            // JSON has no networks.
            Type::Cidr => Type::Text,
            Type::List(Type::Cidr) => Type::Text.list(),
            natural => natural,
        };
        let of = |ty| match ty {
            Type::Text | Type::Cidr => Check::Text,
            Type::Int => Check::Int(i64::MIN, i64::MAX),
            Type::Decimal => Check::Decimal,
            Type::Float => Check::Float,
            Type::Bool => Check::Bool,
            Type::Timestamp => Check::Rfc3339,
            Type::Duration => Check::DurationMillis(i64::MIN, i64::MAX),
            Type::Ip => Check::Ip,
            Type::Json | Type::List(_) => Check::Json,
        };
        let check = ty.element().map_or_else(|| of(ty), |each| Check::List(Box::new(of(each))));
        let line = Line {
            target: way,
            span,
            check,
            data_type: None,
            missing: Policy::Skip,
            invalid: self.optional_invalid(),
            required: None,
        };
        self.line(value, line, |checker, expr| checker.expr(expr, ty)).map(OutputNode::Value)
    }

    fn attribute_value(
        &mut self,
        shape: Shape,
        attribute: &'static Attribute,
        value: &'a ast::Value,
        way: String,
        target: &'a ast::Target,
        required: bool,
    ) -> Option<OutputNode> {
        let natural = self.natural(&value.expr);
        let line = |check| Line {
            target: way.clone(),
            span: target.span,
            check,
            data_type: match attribute.ty {
                AttributeType::Scalar(data_type) => Some(data_type.name),
                AttributeType::Object(_) => None,
            },
            missing: if required { Policy::Reject } else { Policy::Skip },
            invalid: if required { Policy::Reject } else { self.optional_invalid() },
            required: required.then_some("OCSF requires it, and everything around it"),
        };
        if let Some(listed) = Listed::of(attribute, target.span) {
            let line = line(listed.check());
            let field = self.line(value, line, |checker, expr| checker.enum_value(expr, listed))?;
            let echoes = self.sibling_echo(shape, listed, &field.value);
            return Some(OutputNode::Enum(field, echoes));
        }
        let Some(Wanted { ty, check }) = wanted(attribute, natural) else {
            let text = self.source.slice(target.span).to_owned();
            if matches!(attribute.ty, AttributeType::Object(_)) && attribute.is_array {
                self.is_a_list(target);
            } else {
                let has_name = self
                    .shape_of(attribute)
                    .and_then(Shape::attributes)
                    .is_some_and(|attributes| attributes.get("name").is_some());
                let report = Diagnostic::error(
                    "W0302",
                    target.span,
                    format!("`{text}` is an object, not a single value"),
                    "has attributes of its own",
                );
                self.report(if has_name {
                    report.help(format!("set one of them: `{text}.name = ...`")).fix(
                        format!("{text}.name"),
                        target.span,
                        format!("{text}.name"),
                    )
                } else {
                    report.help(format!("write one line for each: `{text} {{ ... }}`"))
                });
            }
            return None;
        };
        let line = line(check);
        self.line(value, line, |checker, expr| checker.expr(expr, ty)).map(OutputNode::Value)
    }

    /// The draft as the typed tree, each object checked whole.
    fn finish_object(&mut self, draft: Draft, required: bool, report: bool) -> hir::Object {
        if report {
            self.complete(&draft, required);
        }
        let constraints: Vec<(ConstraintKind, Vec<String>)> = draft
            .shape
            .constraints()
            .iter()
            .map(|constraint| {
                let set = constraint.members.iter().filter(|member| is_set(&draft, member));
                (constraint.kind, set.map(|member| (*member).to_owned()).collect())
            })
            .collect();
        let attributes = draft.shape.attributes();
        if report && !required && !draft.way.is_empty() {
            let all = attributes.into_iter().flat_map(Attributes::iter);
            let needed: Vec<&'static str> =
                all.filter(|one| self.is_required(one)).map(|one| one.name).collect();
            let sets: Vec<Vec<String>> = constraints.iter().map(|(_, set)| set.clone()).collect();
            self.may_be_incomplete(&draft, &needed, &sets);
        }
        let mut object = hir::Object { guard: draft.guard.map(Box::new), ..Default::default() };
        for member in draft.members {
            let attribute = attributes.and_then(|attributes| attributes.get(&member.name));
            let member_required = attribute.is_some_and(|attribute| self.is_required(attribute));
            let node = match member.node {
                DraftNode::Leaf(node) => node,
                DraftNode::Object(inner) => OutputNode::Object(self.finish_object(
                    inner,
                    required && member_required,
                    report,
                )),
                DraftNode::List(list) => OutputNode::List(
                    list.into_iter().map(|element| self.finish_element(element, report)).collect(),
                ),
            };
            object.members.push(hir::Member {
                name: member.name,
                required: member_required,
                filler: member.filler,
                node,
            });
        }
        for (kind, set) in constraints {
            if kind == ConstraintKind::JustOne && set.len() > 1 {
                object.just_one.push(set.clone());
            }
            object.at_least_one.push(set);
        }
        object
    }

    fn finish_element(&mut self, element: DraftElement, report: bool) -> hir::Element {
        let object = self.finish_object(element.object, false, report);
        match element.each {
            None => hir::Element::One(object),
            Some((array, id, max)) => hir::Element::Each { array, id, max, object },
        }
    }

    /// Reports what an object lacks for good.
    fn complete(&mut self, draft: &Draft, required: bool) {
        let Some(attributes) = draft.shape.attributes() else { return };
        let version = self.head.schema.version;
        let profiles = self.profiles();
        let exists = |name: &&str| attributes.get(name).is_some_and(|it| it.exists_with(&profiles));
        let unmet = draft.shape.constraints().iter().find(|it| !it.members.iter().any(&exists));
        if let Some(constraint) = unmet {
            let report = self.can_never_be_met(draft, constraint);
            self.report(report);
            return;
        }
        let lacking: Vec<&'static Attribute> = attributes
            .iter()
            .filter(|attribute| self.is_required(attribute) && !draft.writes(attribute.name))
            .collect();
        if let Some(first) = lacking.first() {
            let report = self.lacking(draft, first, required);
            self.report(report);
            return;
        }
        for constraint in draft.shape.constraints() {
            if constraint.members.iter().any(|member| is_set(draft, member)) {
                continue;
            }
            let members = alternatives(&constraint.members);
            let set: Vec<String> =
                draft.members.iter().map(|member| format!("`{}`", member.name)).collect();
            let name = draft.shape.name();
            let report = match draft.shape {
                Shape::Class(_) => Diagnostic::error("W0210", draft.span, format!("`{name}` needs {members}"), format!("OCSF {version} needs at least one of them here"))
                    .help(format!("set one of them, for example `{} {{ ... }}`", constraint.members[0])),
                _ => Diagnostic::error(
                    "W0205",
                    draft.span,
                    format!("this `{name}` can never be valid"),
                    format!("OCSF needs at least one of {members} here; only {} is set, so the whole `{name}` would always be left out", set.join(", ")),
                )
                .help(format!("set `{}.{}` as well", draft.way, constraint.members.iter().find(|member| **member == "name" || **member == "uid").unwrap_or(&constraint.members[0]))),
            };
            self.report(report);
        }
    }

    /// OCSF asks for one of several attributes and has none of them where it asks.
    fn can_never_be_met(&self, draft: &Draft, constraint: &Constraint) -> Diagnostic {
        let version = self.head.schema.version;
        let (name, members) = (draft.shape.name(), alternatives(&constraint.members));
        let report = Diagnostic::error(
            "W0205",
            draft.span,
            format!("no `{name}` is valid in OCSF {version}"),
            format!("it has to have {members}, and has no attribute of such a name"),
        );
        match draft.shape {
            Shape::Class(_) => report.help("use another class; where nothing fits, `api_activity` does, with the rest under `unmapped`"),
            _ => report.help("leave it out, and keep its values under `unmapped`"),
        }
    }

    fn lacking(&self, draft: &Draft, attribute: &Attribute, required: bool) -> Diagnostic {
        let version = self.head.schema.version;
        let (name, lacks) = (draft.shape.name(), attribute.name);
        let example = match attribute.ty {
            AttributeType::Object(_) if attribute.is_array => format!("add {lacks} {{ ... }}"),
            AttributeType::Object(_) => format!("{lacks} {{ ... }}"),
            AttributeType::Scalar(_) => format!("{lacks} = ..."),
        };
        if draft.way.is_empty() {
            return Diagnostic::error(
                "W0210",
                draft.span,
                format!("`{name}` needs `{lacks}`"),
                format!("OCSF {version} requires `{lacks}` in every event of this class"),
            )
            .help(format!("add `{example}`"));
        }
        let what = if required {
            format!("this `{name}` lacks `{lacks}`, so no event could be emitted")
        } else {
            format!("this `{name}` can never be valid")
        };
        Diagnostic::error(
            "W0205",
            draft.span,
            what,
            format!("OCSF needs `{lacks}` here, so the whole `{name}` would always be left out"),
        )
        .help(format!("set `{}` as well: `{}.{example}`", draft.way_of(lacks), draft.way))
    }
}

/// Is a member (or a way such as `a.b`) set in the draft?
fn is_set(draft: &Draft, member: &str) -> bool {
    match member.split_once('.') {
        None => draft.get(member).is_some(),
        Some((first, rest)) => match draft.get(first).map(|member| &member.node) {
            Some(DraftNode::Object(inner)) => is_set(inner, rest),
            _ => false,
        },
    }
}

/// A text as JSON.
pub(crate) fn json_text(text: &str) -> String {
    use simd_json::prelude::Writable;
    simd_json::BorrowedValue::from(text).encode()
}

/// Attributes that follow from others: how they are set, if this is one.
fn derived_attribute(object: &Draft, attribute: &Attribute) -> Option<String> {
    if let Some(attributes) = object.shape.attributes()
        && let Some(source) = attributes
            .iter()
            .find(|other| sibling(attributes, other).is_some_and(|it| it.name == attribute.name))
    {
        return Some(format!("set `{}`; its caption follows", source.name));
    }
    let event = match (object.shape, attribute.name) {
        (Shape::Class(_), "class_uid" | "class_name" | "category_uid" | "category_name") => {
            "it follows from the class"
        }
        (Shape::Class(_), "type_uid" | "type_name") => {
            "it follows from the class and `activity_id`"
        }
        (Shape::Class(_), "time") => "set `event.time`",
        (Shape::Class(_), "raw_data") => "it follows from the record and the `raw` line",
        (Shape::Class(_), "enrichments") => return None,
        (Shape::Object(_), "version" | "product" | "profiles" | "log_name" | "original_time")
            if object.way == "metadata" =>
        {
            "it follows from the head of the file and from `event`"
        }
        (Shape::Object(_), "uid") if object.way == "metadata" => "set `event.id`",
        (Shape::Object(_), "event_code") if object.way == "metadata" => "set `event.action`",
        _ => return None,
    };
    Some(event.to_owned())
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

fn alternatives(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

pub(super) fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    if names.len() <= SHOWN {
        return names.join(", ");
    }
    format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN)
}
