// What ties the receipt to the journal, and what of it is proved here.

import { type Component, Show } from "solid-js";
import type { Receipt } from "../../api/types";
import { loaded } from "../../live/loaded";
import { Copy } from "../../parts/basic";
import { Tag } from "../../parts/state";
import { type Proof, prove } from "./check";

const PROVED: Record<Proof, string> = {
  fits: "This browser has hashed the record: it is what its hash says.",
  differs:
    "This browser has hashed the record, and gets another hash. Written before 2026-11-26, it has a hash of another kind (blake3); written later, it was changed.",
  none: "The record has no hash: this gateway's journal isn't chained.",
  unable: "A browser hashes only on pages of this machine or over https: here it can't check.",
};

export const Chain: Component<{ receipt: Receipt; text: string }> = (props) => {
  const { data: proof } = loaded(() => props.text, prove);
  const newest = "ls artifacts/costs/journal/*.jsonl | tail -n 1 | xargs tail -n 1";
  const byHand = (): string => {
    const find = props.receipt.run_id.replace(/[^\w.-]/g, "");
    const record = `grep -h '^{"run_id":"${find}"' artifacts/costs/journal/*.jsonl`;
    return `${find === "" ? newest : record} | sed 's/,"hash":"[0-9a-f]*"}$/}/' | tr -d '\\n' | sha256sum`;
  };
  return (
    <section class="part" aria-label="Chain">
      <h3>Is it as it was written?</h3>
      <p>
        <Show when={proof()} fallback={<span class="muted">Checking…</span>}>
          {(proof) => (
            <>
              <Tag state={proof() === "fits" ? "ok" : proof() === "differs" ? "error" : "unknown"}>
                {proof() === "fits"
                  ? "the record fits its hash"
                  : proof() === "differs"
                    ? "the record does not fit its hash"
                    : "not checked"}
              </Tag>{" "}
              <span class="muted">
                {PROVED[proof()]} That the chain before and after it is whole, only the files can tell:
              </span>
            </>
          )}
        </Show>
      </p>
      <Copy text="pas receipts verify" />
      <p class="muted">This record by hand, in the directory of PAS; it must print the hash below:</p>
      <Copy text={byHand()} />
      <dl class="kv">
        <dt>Place</dt>
        <dd class="num">{props.receipt.seq ?? "–"}</dd>
        <dt>Before it</dt>
        <dd class="mono">{props.receipt.prev ?? "–"}</dd>
        <dt>Its hash</dt>
        <dd class="mono">{props.receipt.hash ?? "–"}</dd>
      </dl>
    </section>
  );
};
