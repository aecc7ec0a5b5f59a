//! Answers of the compiler in the words of the protocol.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeDescription,
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, CompletionTextEdit,
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DocumentFormattingParams,
    DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, Documentation,
    GotoDefinitionParams, GotoDefinitionResponse, Hover, HoverContents, HoverParams, Location,
    MarkupContent, MarkupKind, NumberOrString, PrepareRenameResponse, Range, ReferenceParams,
    RenameParams, SymbolKind, TextDocumentPositionParams, TextEdit, WorkspaceEdit,
};
use weir_dsl::diagnostic::{self, Severity};
use weir_dsl::editor::{CompletionKind, Outline, OutlineKind};

use super::{Open, Refusal};

impl Open {
    fn offset(&self, at: &TextDocumentPositionParams) -> u32 {
        self.positions.offset(at.position)
    }

    fn location(&self, span: weir_dsl::Span) -> Location {
        Location::new(self.uri.clone(), self.positions.range(span))
    }

    fn edits(&self, edits: &[(weir_dsl::Span, String)]) -> WorkspaceEdit {
        let edits = edits.iter().map(|(span, text)| self.edit(*span, text)).collect();
        // The client's map is keyed by URIs, whose caches of parts are not part of their hash.
        #[allow(clippy::mutable_key_type, reason = "the type is the protocol's")]
        let changes = HashMap::from([(self.uri.clone(), edits)]);
        WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }
    }

    fn edit(&self, span: weir_dsl::Span, text: &str) -> TextEdit {
        TextEdit::new(self.positions.range(span), text.to_owned())
    }
}

/// What the compiler says, for the list of problems.
pub(super) fn diagnostics(open: &Open) -> Vec<Diagnostic> {
    open.document.diagnostics().iter().map(|report| of_report(open, report)).collect()
}

fn of_report(open: &Open, report: &diagnostic::Diagnostic) -> Diagnostic {
    let related = report.secondary.iter().map(|label| DiagnosticRelatedInformation {
        location: open.location(label.span),
        message: label.message.clone(),
    });
    let related: Vec<_> = related.collect();
    let parts = [Some(&report.message), Some(&report.primary.message)];
    let help = report.help.as_ref().map(|help| format!("help: {help}"));
    let note = report.note.as_ref().map(|note| format!("note: {note}"));
    let parts = parts.into_iter().chain([help.as_ref(), note.as_ref()]).flatten();
    let parts: Vec<&str> = parts.map(String::as_str).filter(|part| !part.is_empty()).collect();
    Diagnostic {
        range: open.positions.range(report.primary.span),
        severity: Some(match report.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Advice => DiagnosticSeverity::HINT,
        }),
        code: Some(NumberOrString::String(report.code.to_owned())),
        code_description: None::<CodeDescription>,
        source: Some("weir".to_owned()),
        message: parts.join("\n"),
        related_information: (!related.is_empty()).then_some(related),
        tags: None,
        data: None,
    }
}

pub(super) fn hover(open: &Open, params: HoverParams) -> Result<Option<Hover>, Refusal> {
    let offset = open.offset(&params.text_document_position_params);
    Ok(open.document.hover(offset).map(|hover| Hover {
        contents: HoverContents::Markup(markdown(hover.text)),
        range: Some(open.positions.range(hover.span)),
    }))
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

pub(super) fn completion(
    open: &Open,
    params: CompletionParams,
) -> Result<CompletionResponse, Refusal> {
    let offset = open.offset(&params.text_document_position);
    let items = open.document.complete(offset).into_iter().map(|completion| CompletionItem {
        sort_text: Some(format!("{} {}", completion.rank, completion.label)),
        filter_text: Some(completion.insert.clone()),
        label: completion.label,
        kind: Some(match completion.kind {
            CompletionKind::Keyword => CompletionItemKind::KEYWORD,
            CompletionKind::Attribute => CompletionItemKind::PROPERTY,
            CompletionKind::Class => CompletionItemKind::CLASS,
            CompletionKind::Value => CompletionItemKind::ENUM_MEMBER,
            CompletionKind::Function => CompletionItemKind::FUNCTION,
            CompletionKind::Name => CompletionItemKind::VARIABLE,
            CompletionKind::Field => CompletionItemKind::FIELD,
        }),
        detail: (!completion.detail.is_empty()).then_some(completion.detail),
        documentation: completion
            .documentation
            .map(|text| Documentation::MarkupContent(markdown(text))),
        text_edit: Some(CompletionTextEdit::Edit(
            open.edit(completion.replace, &completion.insert),
        )),
        ..CompletionItem::default()
    });
    Ok(CompletionResponse::Array(items.collect()))
}

pub(super) fn definition(
    open: &Open,
    params: GotoDefinitionParams,
) -> Result<Option<GotoDefinitionResponse>, Refusal> {
    let offset = open.offset(&params.text_document_position_params);
    let found = open.document.definition(offset);
    Ok(found.map(|span| GotoDefinitionResponse::Scalar(open.location(span))))
}

pub(super) fn references(open: &Open, params: ReferenceParams) -> Result<Vec<Location>, Refusal> {
    let places = open.document.references(open.offset(&params.text_document_position));
    let skipped = usize::from(!params.context.include_declaration);
    Ok(places.into_iter().skip(skipped).map(|span| open.location(span)).collect())
}

pub(super) fn prepare_rename(
    open: &Open,
    params: TextDocumentPositionParams,
) -> Result<Option<PrepareRenameResponse>, Refusal> {
    let found = open.document.rename_target(open.offset(&params));
    Ok(found.map(|span| PrepareRenameResponse::Range(open.positions.range(span))))
}

pub(super) fn rename(open: &Open, params: RenameParams) -> Result<WorkspaceEdit, Refusal> {
    let offset = open.offset(&params.text_document_position);
    let edits = open.document.rename(offset, &params.new_name).map_err(Refusal::invalid)?;
    Ok(open.edits(&edits))
}

/// One edit of the whole text; none if it is formatted already or cannot be read.
pub(super) fn formatting(
    open: &Open,
    _: DocumentFormattingParams,
) -> Result<Vec<TextEdit>, Refusal> {
    let source = open.document.source();
    Ok(match weir_dsl::format::format(source) {
        Ok(text) if text != source.text => vec![TextEdit::new(open.positions.whole(), text)],
        Ok(_) | Err(_) => Vec::new(),
    })
}

pub(super) fn symbols(
    open: &Open,
    _: DocumentSymbolParams,
) -> Result<DocumentSymbolResponse, Refusal> {
    let parts = open.document.outline();
    Ok(DocumentSymbolResponse::Nested(parts.into_iter().map(|part| symbol(open, part)).collect()))
}

fn symbol(open: &Open, part: Outline) -> DocumentSymbol {
    let children: Vec<_> = part.children.into_iter().map(|part| symbol(open, part)).collect();
    #[allow(deprecated, reason = "the field `deprecated` has no other way to be left out")]
    DocumentSymbol {
        name: part.name,
        detail: None,
        kind: match part.kind {
            OutlineKind::Input => SymbolKind::MODULE,
            OutlineKind::Table => SymbolKind::CONSTANT,
            OutlineKind::Let => SymbolKind::VARIABLE,
            OutlineKind::Event => SymbolKind::STRUCT,
            OutlineKind::Branch => SymbolKind::NAMESPACE,
            OutlineKind::Loop => SymbolKind::ARRAY,
            OutlineKind::Emit => SymbolKind::EVENT,
            OutlineKind::Test => SymbolKind::METHOD,
        },
        tags: None,
        deprecated: None,
        range: open.positions.range(part.span),
        selection_range: open.positions.range(part.name_span),
        children: (!children.is_empty()).then_some(children),
    }
}

/// The fixes of the reports that touch a range.
pub(super) fn code_actions(
    open: &Open,
    params: CodeActionParams,
) -> Result<Vec<CodeActionOrCommand>, Refusal> {
    let touches = |range: Range| range.start <= params.range.end && params.range.start <= range.end;
    let actions = open.document.diagnostics().iter().filter_map(|report| {
        let fix = report.fix.as_ref()?;
        touches(open.positions.range(report.primary.span)).then(|| CodeAction {
            title: fix.title.clone(),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![of_report(open, report)]),
            edit: Some(open.edits(&fix.edits)),
            is_preferred: Some(true),
            ..CodeAction::default()
        })
    });
    Ok(actions.map(CodeActionOrCommand::CodeAction).collect())
}
