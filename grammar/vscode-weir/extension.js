// Starts `weir lsp` for programs of weir and talks to it over standard input and output.
"use strict";

const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

/** @type {LanguageClient | undefined} */
let client;

/** Starts the language server, or says why it cannot be started. */
async function start() {
  const command = vscode.workspace.getConfiguration("weir").get("path", "weir");
  const server = { command, args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("weir", "weir", server, {
    documentSelector: [{ language: "weir" }],
  });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const open = "Open settings";
    const message = `weir: \`${command} lsp\` cannot be started: ${error.message ?? error}`;
    if ((await vscode.window.showErrorMessage(message, open)) === open) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "weir.path");
    }
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running?.needsStop()) {
    await running.stop();
  }
}

async function restart() {
  await stop();
  await start();
}

/** @param {vscode.ExtensionContext} context */
async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("weir.restart", restart),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("weir.path")) {
        void restart();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
