import { defineConfig } from "vite";

/** The server that `npm run dev` passes requests to. */
const SERVER = "http://127.0.0.1:8000";

export default defineConfig({
  base: "./", // the console also works below a path
  build: {
    assetsInlineLimit: 0, // the content security policy allows no data: for styles and scripts
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy: { "/api": SERVER } },
});
