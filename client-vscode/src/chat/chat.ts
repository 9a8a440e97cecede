// The chat in the sidebar, put together: the view, its commands, and the conversation as plain text.
import { window, type ExtensionContext } from "vscode";
import { register, type Kaaj, type Owned } from "../kaaj";
import { ChatView } from "./chatView";
import { Highlighting } from "./colour/highlighting";
import { Mentions } from "./mentions";
import { answer } from "./requests";
import { Starting } from "./starting";

export function registerChat(kaaj: Kaaj, { extensionUri }: Pick<ExtensionContext, "extensionUri">): Owned[] {
  const chat = new ChatView(kaaj, extensionUri);
  const starting = new Starting(kaaj, chat);
  const mentions = new Mentions();
  const highlighting = new Highlighting((message) => {
    chat.post(message);
  }, extensionUri);
  const newestTask = () => chat.session?.tasks.at(-1);
  return [
    chat,
    mentions,
    highlighting,
    window.registerWebviewViewProvider(ChatView.id, chat),
    chat.onMessage((message) => {
      void answer({ kaaj, chat, starting, mentions, highlighting }, message);
    }),
    register("kaaj.ui.focusChat", () => chat.reveal()),
    register("kaaj.ui.newSession", async () => {
      await chat.show(undefined);
      await chat.reveal();
    }),
    register("kaaj.ui.history", async () => {
      await chat.reveal();
      chat.tell({ type: "history" });
    }),
    register("kaaj.ui.stop", async () => {
      const running = chat.session?.tasks.findLast(({ status }) => status === "running");
      if (running) await kaaj.server.run("kaaj.cancel", { task: running.id });
      else window.setStatusBarMessage("Kaaj: no task runs in this session", 5000);
    }),
    register("kaaj.ui.retry", async () => {
      const task = newestTask();
      if (task && task.status !== "running") await starting.retry(task);
      else window.setStatusBarMessage(`Kaaj: ${task ? "the task still runs" : "there is no task to retry"}`, 5000);
    }),
    register("kaaj.ui.runPlan", async () => {
      const task = newestTask();
      if (task?.mode === "plan" && task.status !== "running") await starting.runPlan(task);
      else window.setStatusBarMessage("Kaaj: there is no plan to run", 5000);
    }),
  ];
}
