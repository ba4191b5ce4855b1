import { render } from "preact";
import { App } from "./app";
import { resume } from "./state/session";
import "./style/base.css";
import "./style/shell.css";
import "./style/screens.css";

void resume();
const root = document.getElementById("app");
if (root) render(<App />, root);
