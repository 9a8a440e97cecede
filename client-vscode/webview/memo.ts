// Drawn again only where a property is another one. (Preact's own memo is in its compatibility layer.)
import { Component, h, type FunctionComponent, type VNode } from "preact";

export function memo<Props extends object>(draw: (props: Props) => VNode | null): FunctionComponent<Props> {
  class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      const now = this.props as Record<string, unknown>;
      const then = next as Record<string, unknown>;
      const names = new Set([...Object.keys(now), ...Object.keys(then)]);
      return [...names].some((name) => !same(now[name], then[name]));
    }
    override render(): VNode | null {
      return draw(this.props);
    }
  }
  return (props) => h(Memo as never, props);
}

/** Lists are made anew by filtering; what is in them is compared. */
function same(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((one, index) => one === b[index]);
}
