// The chat's page. Nothing but its own script and style may be loaded, no string becomes HTML (Trusted Types), and
// nothing is fetched from anywhere.
import { randomBytes } from "node:crypto";
import { Uri, type Webview } from "vscode";

export function page(webview: Webview, extension: Uri): string {
  const nonce = randomBytes(16).toString("base64");
  const file = (name: string): string => webview.asWebviewUri(Uri.joinPath(extension, "out", name)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kaaj</title>
<link rel="stylesheet" href="${file("webview.css")}">
</head>
<body><div id="root"></div><script nonce="${nonce}" src="${file("webview.js")}"></script></body>
</html>`;
}
