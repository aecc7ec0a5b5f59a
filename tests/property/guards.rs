//! What in a compiled plan keeps invalid events back: each guard by its name, with the way to take it away.

use weir_engine::plan::{Check, Element, Expr, ExprId, Field, Member, Object, OutputNode, Plan};
use weir_engine::types::Type;

/// A guard.
pub(crate) struct Guard {
    pub(crate) name: &'static str,
    /// Takes it away; how many places had it.
    pub(crate) remove: fn(&mut Plan) -> usize,
}

/// All of them.
pub(crate) const GUARDS: [Guard; 22] = [
    Guard { name: "required attributes of an event", remove: |plan| required(plan, true) },
    Guard { name: "required attributes of an object", remove: |plan| required(plan, false) },
    Guard { name: "at_least_one of an event", remove: |plan| at_least_one(plan, true) },
    Guard { name: "at_least_one of an object", remove: |plan| at_least_one(plan, false) },
    Guard { name: "just_one", remove: just_one },
    Guard {
        name: "pattern of a text",
        remove: |plan| limits(plan, |it| it.pattern.take().is_some()),
    },
    Guard {
        name: "length of a text",
        remove: |plan| limits(plan, |it| it.chars_max.take().is_some()),
    },
    Guard {
        name: "listed texts",
        remove: |plan| limits(plan, |it| !std::mem::take(&mut it.values).is_empty()),
    },
    Guard { name: "range of a whole number", remove: range },
    Guard { name: "years of the event", remove: years },
    Guard { name: "type: whole number", remove: |plan| untyped(plan, Type::Int) },
    Guard { name: "type: number", remove: |plan| untyped(plan, Type::Decimal) },
    Guard { name: "type: truth value", remove: |plan| untyped(plan, Type::Bool) },
    Guard { name: "type: address", remove: |plan| untyped(plan, Type::Ip) },
    Guard { name: "type: time", remove: |plan| untyped(plan, Type::Timestamp) },
    Guard { name: "number of an enum", remove: |plan| unlisted(plan, false) },
    Guard { name: "number of an enum, of a list", remove: |plan| unlisted(plan, true) },
    Guard { name: "length of the word for Other", remove: words },
    Guard { name: "length of the raw record", remove: raw_data },
    Guard { name: "captions", remove: captions },
    Guard { name: "type_uid", remove: type_uid },
    Guard { name: "declared profiles", remove: profiles },
];

/// Visits every object, outer ones first; roots are told apart.
fn objects(plan: &mut Plan, visit: &mut dyn FnMut(&mut Object, bool)) {
    for emit in &mut plan.emits {
        visit(&mut emit.root, true);
        below(&mut emit.root, visit);
    }
}

fn below(object: &mut Object, visit: &mut dyn FnMut(&mut Object, bool)) {
    for member in &mut object.members {
        match &mut member.node {
            OutputNode::Object(inner) => {
                visit(inner, false);
                below(inner, visit);
            }
            OutputNode::List(elements) => {
                for element in elements {
                    let (Element::One(inner) | Element::Each { object: inner, .. }) = element;
                    visit(inner, false);
                    below(inner, visit);
                }
            }
            OutputNode::Constant(_) | OutputNode::Value(_) | OutputNode::Enum(..) => {}
        }
    }
}

fn members(plan: &mut Plan, visit: &mut dyn FnMut(&mut Member)) {
    objects(plan, &mut |object, _| object.members.iter_mut().for_each(&mut *visit));
}

/// Visits the lines of the OCSF events, not the columns beside them.
fn fields(plan: &mut Plan, visit: &mut dyn FnMut(&mut Field)) {
    members(plan, &mut |member| match &mut member.node {
        OutputNode::Value(field) | OutputNode::Enum(field, _) => visit(field),
        OutputNode::Constant(_) | OutputNode::Object(_) | OutputNode::List(_) => {}
    });
}

fn required(plan: &mut Plan, of_events: bool) -> usize {
    let mut changed = 0;
    objects(plan, &mut |object, is_event| {
        for member in object.members.iter_mut().filter(|_| is_event == of_events) {
            changed += usize::from(std::mem::take(&mut member.required));
        }
    });
    changed
}

fn at_least_one(plan: &mut Plan, of_events: bool) -> usize {
    let mut changed = 0;
    objects(plan, &mut |object, is_event| {
        if is_event == of_events {
            changed += std::mem::take(&mut object.at_least_one).len();
        }
    });
    changed
}

fn just_one(plan: &mut Plan) -> usize {
    let mut changed = 0;
    members(plan, &mut |member| changed += std::mem::take(&mut member.unless).len());
    changed
}

fn limits(plan: &mut Plan, remove: fn(&mut weir_engine::plan::TextLimits) -> bool) -> usize {
    let mut changed = 0;
    fields(plan, &mut |field| {
        let check = match &mut field.check {
            Check::List(of_element) => of_element,
            check => check,
        };
        if let Check::LimitedText(limits) = check {
            changed += usize::from(remove(limits));
        }
    });
    changed
}

fn range(plan: &mut Plan) -> usize {
    let mut changed = 0;
    fields(plan, &mut |field| {
        if let Check::Int(low, high) | Check::DurationMillis(low, high) = &mut field.check {
            (*low, *high) = (i64::MIN, i64::MAX);
            changed += 1;
        }
    });
    changed
}

fn years(plan: &mut Plan) -> usize {
    let columns = plan.emits.iter_mut().flat_map(|emit| &mut emit.columns);
    let times = columns.filter(|column| matches!(column.check, Check::EventTime));
    times.map(|column| column.check = Check::EpochMillis).count()
}

/// What is read as a type is read and written as the text it is.
fn untyped(plan: &mut Plan, ty: Type) -> usize {
    let mut values = Vec::new();
    let is_read =
        |plan: &Plan, value| matches!(&plan.exprs[value as usize], Expr::Read(_, of) if *of == ty);
    fields(plan, &mut |field| values.push(field.value));
    values.retain(|value| is_read(plan, *value));
    for value in &values {
        if let Expr::Read(_, of) = &mut plan.exprs[*value as usize] {
            *of = Type::Text;
        }
    }
    fields(plan, &mut |field| {
        if values.contains(&field.value) {
            field.check = Check::Text;
        }
    });
    values.len()
}

/// The number that a text is stands for what `to_enum` makes of it, and any number fits. One of the two alone keeps back
/// what is not listed.
fn unlisted(plan: &mut Plan, of_lists: bool) -> usize {
    let mut values = Vec::new();
    fields(plan, &mut |field| {
        let check = match &mut field.check {
            Check::List(each) if of_lists => each,
            check if !of_lists => check,
            _ => return,
        };
        if let Check::Enum(_) = check {
            values.push(field.value);
            *check = Check::Int(i64::MIN, i64::MAX);
        }
    });
    values.into_iter().map(|value| usize::from(looks_nothing_up(plan, value))).sum()
}

fn looks_nothing_up(plan: &mut Plan, value: ExprId) -> bool {
    let list = match &plan.exprs[value as usize] {
        Expr::Call(callee, args, _) if callee.name == "to_enum" => args[0],
        Expr::List(items) => {
            let looked_up = items.clone().into_iter().map(|item| looks_nothing_up(plan, item));
            return looked_up.fold(false, |any, one| any | one);
        }
        Expr::Register(register) => {
            let shared = plan.registers[*register as usize].expr;
            return looks_nothing_up(plan, shared);
        }
        _ => return false,
    };
    if let Expr::Fold(fold, array, scope, element) = &plan.exprs[list as usize] {
        let read = *element;
        plan.exprs[value as usize] = Expr::Fold(fold.clone(), *array, *scope, read);
        if let Expr::Read(_, of) = &mut plan.exprs[read as usize] {
            *of = Type::Int;
        }
    } else {
        plan.exprs[value as usize] = Expr::Convert(list, Type::Int);
    }
    true
}

fn words(plan: &mut Plan) -> usize {
    let mut changed = 0;
    members(plan, &mut |member| {
        if let OutputNode::Enum(_, echoes) = &mut member.node {
            for echo in echoes.iter_mut().filter(|echo| echo.other.is_some()) {
                echo.check = Check::Text;
                changed += 1;
            }
        }
    });
    changed
}

fn raw_data(plan: &mut Plan) -> usize {
    usize::from(plan.raw_data_chars_max.take().is_some())
}

/// Every caption says something else.
fn captions(plan: &mut Plan) -> usize {
    echo_texts(
        plan,
        |key| key.ends_with("_name\":") && key != "\"type_name\":",
        "\"another caption\"",
    )
}

fn type_uid(plan: &mut Plan) -> usize {
    echo_texts(plan, |key| key == "\"type_uid\":", "7")
}

fn echo_texts(plan: &mut Plan, is_meant: fn(&str) -> bool, text: &str) -> usize {
    let mut changed = 0;
    members(plan, &mut |member| {
        if let OutputNode::Enum(_, echoes) = &mut member.node {
            for echo in echoes.iter_mut().filter(|echo| is_meant(&echo.key)) {
                echo.texts.iter_mut().for_each(|(_, of)| text.clone_into(of));
                changed += 1;
            }
        }
    });
    changed
}

/// Constants may have become part of the key behind them.
fn profiles(plan: &mut Plan) -> usize {
    const PROFILES: &str = "\"profiles\":[";
    let mut changed = 0;
    let mut empty = |text: &mut String| {
        let Some(start) = text.find(PROFILES).map(|at| at + PROFILES.len()) else { return };
        let Some(size) = text[start..].find(']') else { return };
        text.replace_range(start..start + size, "");
        changed += 1;
    };
    members(plan, &mut |member| {
        empty(&mut member.key);
        if let OutputNode::Constant(text) = &mut member.node {
            let mut whole = format!("{}{text}", member.key);
            empty(&mut whole);
            *text = whole.split_off(member.key.len());
        }
    });
    changed
}
