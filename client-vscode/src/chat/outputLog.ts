// The conversation in an output channel: plain lines, for whoever wants no webview.
import { window } from "vscode";
import { register, type Kaaj, type Owned } from "../kaaj";
import { conversationText } from "./conversation";

/** Milliseconds that text is gathered: an append for each token would hold up what is being watched. */
const PAUSE = 300;

export function registerConversationLog({ store }: Kaaj): Owned[] {
  const channel = window.createOutputChannel("Kaaj: conversation");
  let gathered = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (gathered) channel.append(gathered);
    gathered = "";
  };
  return [
    { dispose: write },
    channel,
    store.onEvent((event) => {
      gathered += conversationText(event);
      timer ??= setTimeout(write, PAUSE);
    }),
    register("kaaj.ui.conversation", () => {
      write();
      channel.show(true);
    }),
  ];
}
