// The unfinished block, read anew: what is the same on the page stays, so that little is laid out again, colours do not
// flicker, and a selection holds.
import { codeBlockOf } from "./code";

/** Make `old`, which are on the page, like `fresh`. False, and nothing done, where they are too different. */
export function become(old: readonly Node[], fresh: readonly Node[]): boolean {
  const [one, ...others] = old;
  const [other, ...rest] = fresh;
  if (!one || !other || others.length > 0 || rest.length > 0 || one.nodeName !== other.nodeName) return false;
  patch(one, other);
  return true;
}

function patch(old: Node, fresh: Node): void {
  if (old instanceof Text && fresh instanceof Text) {
    if (fresh.data.startsWith(old.data)) {
      if (fresh.length > old.length) old.appendData(fresh.data.slice(old.length));
    } else old.data = fresh.data;
    return;
  }
  if (!(old instanceof Element) || !(fresh instanceof Element) || !alike(old, fresh)) {
    old.parentNode?.replaceChild(fresh, old);
    return;
  }
  const code = codeBlockOf(old);
  const newer = codeBlockOf(fresh);
  if (code || newer) {
    if (!code || !newer || !code.become(newer)) old.replaceWith(fresh);
    return;
  }
  // Both lists are taken first: what is moved leaves its own.
  const before = [...old.childNodes];
  const now = [...fresh.childNodes];
  now.forEach((node, index) => {
    const was = before[index];
    if (was) patch(was, node);
    else old.appendChild(node);
  });
  for (const node of before.slice(now.length)) node.remove();
}

function alike(one: Element, other: Element): boolean {
  if (one.nodeName !== other.nodeName || one.attributes.length !== other.attributes.length) return false;
  return [...one.attributes].every(({ name, value }) => other.getAttribute(name) === value);
}
