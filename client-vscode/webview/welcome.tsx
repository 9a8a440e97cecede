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
  if (standing.server !== "running") return <NoServer standing={standing} />;
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

function NoServer({ standing }: { standing: Standing }): JSX.Element {
  if (standing.server === "starting") {
    return (
      <div class="welcome" role="status">
        <p>
          <Icon name="loading" spin /> Kaaj is starting…
        </p>
      </div>
    );
  }
  return (
    <div class="welcome">
      <h2>Kaaj’s server does not run</h2>
      <p>{standing.why ?? "Start it, or look into its settings."}</p>
      <Do deed="restart" words="Start the server" look="primary" />
      <Do deed="settings" words="Open the settings" />
    </div>
  );
}

/** Above the conversation: what limits it, and what goes on elsewhere. */
export function Banners({ standing, empty }: { standing: Standing; empty: boolean }): JSX.Element {
  const { elsewhere } = standing;
  return (
    <>
      {standing.restricted && (
        <div key="restricted" class="banner" role="note">
          <Icon name="shield" />
          <span>This workspace is not trusted: Kaaj plans, but changes and runs nothing.</span>
          <Do deed="trust" words="Trust…" look="link" />
        </div>
      )}
      {!empty && standing.server !== "running" && (
        <div key="server" class="banner warn" role="status">
          <Icon name={standing.server === "starting" ? "loading" : "warning"} spin={standing.server === "starting"} />
          <span>{standing.server === "starting" ? "Kaaj is starting…" : (standing.why ?? "Kaaj’s server does not run.")}</span>
          {standing.server === "stopped" && <Do deed="restart" words="Start" look="link" />}
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
