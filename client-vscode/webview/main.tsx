// The chat's page: it is put together here, and the extension's messages find their way.
import { render, type JSX } from "preact";
import { toWebview } from "../src/chat/messages";
import { announcer } from "./announce";
import { start, take, type AppState } from "./app";
import { Composer } from "./composer";
import { History } from "./history";
import { post, write } from "./host";
import { recolour, takeTokens } from "./markdown/code";
import { setPalette } from "./palette";
import { TodoList } from "./todoStrip";
import { Transcript } from "./transcript";
import { Banners, Welcome } from "./welcome";
import "./style.css";

function App({ standing, view, history, problem }: AppState): JSX.Element {
  const empty = !view || view.turns.length === 0;
  const running = view?.tasks.findLast(({ status }) => status === "running");
  return (
    <div class="app">
      <Banners standing={standing} empty={empty} />
      <main key="main" class="main" aria-label="Conversation">
        <h1 class="sr">Kaaj</h1>
        {view && !empty ? <Transcript key={view.id} view={view} restricted={standing.restricted} /> : view !== undefined && <Welcome standing={standing} />}
        {history && <History history={history} />}
      </main>
      {running && running.todo.length > 0 && <TodoList key={`todo/${running.id}`} todo={running.todo} live />}
      <Composer key="composer" standing={standing} view={view ?? null} problem={problem} />
    </div>
  );
}

const root = document.getElementById("root");
if (root) {
  document.body.append(announcer());
  start((state) => {
    render(<App {...state} />, root);
  });
}

addEventListener("message", (event: MessageEvent<unknown>) => {
  const message = toWebview(event.data);
  if (!message) return;
  if (message.type === "palette") {
    setPalette(message.palette);
    if (message.palette.renewed) recolour();
  } else if (message.type === "tokens") takeTokens(message.block, message.from, message.lines);
  else take(message);
});

// Paths in the model's prose open files; what goes to the web is the editor's own matter.
function openPath(event: Event): void {
  const path = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-path]")?.dataset.path : undefined;
  if (path === undefined) return;
  event.preventDefault();
  post({ type: "path", path });
}
addEventListener("click", openPath);
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target instanceof HTMLAnchorElement) openPath(event);
});
addEventListener("pagehide", write);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) write();
});

post({ type: "ready" });
