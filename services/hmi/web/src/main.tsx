import { render } from "solid-js/web";
import { App } from "./app";
import { start } from "./live/store";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";

const root = document.getElementById("app");
if (root) {
  start();
  render(() => <App />, root);
}
