// Changes in VS Code's diff editors.
import { workspace } from "vscode";
import type { Owned } from "../kaaj";
import { Review, SCHEME } from "./review";

export function registerReview(review: Review): Owned[] {
  return [
    workspace.registerTextDocumentContentProvider(SCHEME, review),
    workspace.onDidCloseTextDocument((document) => {
      if (document.uri.scheme === SCHEME) review.forget(document.uri);
    }),
  ];
}
