// The conversation in an output channel: plain lines, for whoever wants no webview.
import { window } from "vscode";
import { register, type Kaaj, type Owned } from "../kaaj";
import { conversationText } from "./conversation";

export function registerConversationLog({ store }: Kaaj): Owned[] {
  const channel = window.createOutputChannel("Kaaj: conversation");
  return [
    channel,
    store.onEvent((event) => {
      channel.append(conversationText(event));
    }),
    register("kaaj.ui.conversation", () => {
      channel.show(true);
    }),
  ];
}
