// The filtered set as a file: for programs as lines of JSON, for spreadsheets as a table.

import { type Component, createSignal } from "solid-js";
import { type Field, row } from "../lib/csv";
import { fileName, save } from "../lib/save";
import { line } from "../lib/text";
import { say } from "./dialog";

interface Props<T> {
  /** What the file is of: `alerts`. */
  of: string;
  /** All that fit, also those that aren't on the screen. */
  rows: () => T[] | Promise<T[]>;
  columns: [title: string, value: (row: T) => Field][];
}

export function Exports<T>(props: Props<T>): ReturnType<Component> {
  const [busy, setBusy] = createSignal(false);
  const write = async (ending: "jsonl" | "csv"): Promise<void> => {
    setBusy(true);
    try {
      const rows = await props.rows();
      const text = ending === "jsonl" ? jsonl(rows) : table(rows, props.columns);
      save(new Blob([text], { type: ending === "jsonl" ? "application/x-ndjson" : "text/csv;charset=utf-8" }), fileName(props.of, ending));
    } catch (error) {
      say(line(`Not saved: ${(error as Error).message}`, 300), "error");
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" disabled={busy()} onClick={() => void write("jsonl")}>
        Export JSONL
      </button>
      <button type="button" disabled={busy()} onClick={() => void write("csv")}>
        Export CSV
      </button>
    </>
  );
}

function jsonl(rows: unknown[]): string {
  return rows.map((it) => `${JSON.stringify(it)}\n`).join("");
}

function table<T>(rows: T[], columns: Props<T>["columns"]): string {
  return row(columns.map(([title]) => title)) + rows.map((it) => row(columns.map(([, value]) => value(it)))).join("");
}
