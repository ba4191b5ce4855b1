import { render } from "preact";
import { credential } from "./api/http";
import { App } from "./app";
import { loadCollections } from "./state/collections";
import { resume } from "./state/session";
import "./style/base.css";
import "./style/shell.css";
import "./style/screens.css";

void resume();
if (credential.value) void loadCollections(); // meanwhile: the first screen needs both
const root = document.getElementById("app");
if (root) render(<App />, root);
