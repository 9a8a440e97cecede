// What is shown where there is no conversation yet, and what stands in the way of one.
import type { JSX } from "preact";
import type { Deed, Standing } from "../src/chat/messages";
import { post } from "./host";
import { Icon } from "./icons";

function Do({ deed, words, look = "secondary" }: { deed: Deed; words: string; look?: string }): JSX.Element {
  return (
    <button type="button" class={look} onClick={() => { post({ type: "deed", deed }); }}>
      {words}
    </button>
  );
}

export function Welcome({ standing }: { standing: Standing }): JSX.Element {
  if (standing.server.kind !== "running") return <NoServer server={standing.server} />;
  if (standing.folders.length === 0) {
    return (
      <div class="welcome">
        <h2>No folder is open</h2>
        <p>Kaaj works on the files of a folder.</p>
        <Do deed="openFolder" words="Open a folder" look="primary" />
      </div>
    );
  }
  return (
    <div class="welcome">
      <h2>What should be done?</h2>
      <p>Kaaj plans, edits, checks the result, and shows you one change to apply or reject. Nothing is written before that.</p>
      <ul>
        <li>
          <kbd>@</kbd> adds a file, a folder, a symbol, the selection or the problems
        </li>
        <li>
          <kbd>Shift</kbd>-drop files here, or paste what matters
        </li>
        <li>
          <kbd>Esc</kbd> stops the task
        </li>
      </ul>
    </div>
  );
}

type Server = Standing["server"];

/** What the server does while it does not run, in few words. */
function busyText(server: Server): string | undefined {
  if (server.kind === "starting") return "Kaaj is starting…";
  if (server.kind === "installing") return "Kaaj is being installed…";
  return server.kind === "restarting" ? `Kaaj is started again. ${server.why}` : undefined;
}

/** What helps, the likeliest first. */
function remedies(server: Extract<Server, { kind: "stopped" | "hanging" }>): { deed: Deed; words: string }[] {
  const start = { deed: "restart", words: "Start the server" } as const;
  const log = { deed: "log", words: "Show the log" } as const;
  if (server.kind === "hanging") return [{ deed: "restart", words: "Restart server" }, log];
  switch (server.why) {
    case "missing":
      return [{ deed: "install", words: "Install…" }, { deed: "settings", words: "Open the settings" }];
    case "version":
      if (server.update === "extension") return [{ deed: "updateExtension", words: "Update extension" }, log];
      return [{ deed: "update", words: "Update server…" }, log];
    case "broken":
    case "died":
      return [start, log];
    case "asked":
      return [start];
  }
}

function headingOf(server: Extract<Server, { kind: "stopped" | "hanging" }>): string {
  if (server.kind === "hanging") return "Kaaj’s server does not answer";
  return server.why === "missing" ? "Kaaj is not installed" : "Kaaj’s server does not run";
}

function NoServer({ server }: { server: Server }): JSX.Element {
  const busy = busyText(server);
  if (busy !== undefined || (server.kind !== "stopped" && server.kind !== "hanging")) {
    return (
      <div class="welcome" role="status">
        <p>
          <Icon name="loading" spin /> {busy}
        </p>
      </div>
    );
  }
  return (
    <div class="welcome">
      <h2>{headingOf(server)}</h2>
      <p>{server.message}</p>
      {remedies(server).map(({ deed, words }, index) => (
        <Do key={deed} deed={deed} words={words} look={index === 0 ? "primary" : "secondary"} />
      ))}
    </div>
  );
}

/** Above the conversation: what limits it, and what goes on elsewhere. */
export function Banners({ standing, empty }: { standing: Standing; empty: boolean }): JSX.Element {
  const { elsewhere, server } = standing;
  const busy = busyText(server);
  const ill = server.kind === "stopped" || server.kind === "hanging" ? server : undefined;
  return (
    <>
      {standing.restricted && (
        <div key="restricted" class="banner" role="note">
          <Icon name="shield" />
          <span>This workspace is not trusted: Kaaj plans, but changes and runs nothing.</span>
          <Do deed="trust" words="Trust…" look="link" />
        </div>
      )}
      {!empty && server.kind !== "running" && (
        <div key="server" class="banner warn" role="status">
          <Icon name={busy === undefined ? "warning" : "loading"} spin={busy !== undefined} />
          <span>{busy ?? ill?.message}</span>
          {ill && remedies(ill).slice(0, 1).map(({ deed, words }) => <Do key={deed} deed={deed} words={words} look="link" />)}
        </div>
      )}
      {elsewhere && (
        <div key="elsewhere" class="banner">
          <Icon name="loading" spin />
          <span class="one-line">{elsewhere.title}</span>
          <button type="button" class="link" onClick={() => { post({ type: "show", session: elsewhere.session }); }}>
            Show
          </button>
        </div>
      )}
    </>
  );
}
