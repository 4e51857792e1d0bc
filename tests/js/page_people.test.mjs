// The page's list of who is here, on a document that has only what it uses.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { PeopleView } from "../../web/src/ui/peopleview.mjs";

class Element {
  children = [];
  style = { setProperty() {} };
  classList = { toggle() {} };

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }
}

const person = (id) => ({ id, you: false, away: false, health: 100, dead: false, kills: 0 });

// What updates with these ids leave in the list: each row's title, which is the id, and the rows themselves.
function shown(...updates) {
  const elements = {};
  globalThis.document = /** @type {any} */ ({ getElementById: (id) => (elements[id] ??= new Element()), createElement: () => new Element() });
  const view = new PeopleView(() => "red", "Here", null);

  return updates.map((ids) => {
    view.update(ids.map(person), null);
    const rows = elements["people-list"].children;
    return { rows, ids: rows.map((row) => row.children[0].children[1].title) };
  });
}

describe("who is here", () => {
  test("is listed in the order given, and anew only when somebody comes or goes", () => {
    const [one, same, more, turned, none] = shown(["tom"], ["tom"], ["tom", "ann"], ["ann", "tom"], []);
    assert.deepEqual([one.ids, more.ids, turned.ids, none.ids], [["tom"], ["tom", "ann"], ["ann", "tom"], []]);
    assert.equal(same.rows[0], one.rows[0]);
    assert.notEqual(more.rows[0], one.rows[0]);
  });

  test("may have any ids: line ends, none of two that look like one", () => {
    const updates = [["a", "b"], ["a\nb"], ["a", "b"], ["a\nb", "c"], ["a", "b\nc"], ["a,b"]];
    assert.deepEqual(shown(...updates).map(({ ids }) => ids), updates);
  });
});
