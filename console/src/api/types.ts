/** Names of the API's schemas. The types behind them are generated from infra/openapi.json. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Caller = Schemas["Caller"];
export type Chunking = Schemas["Chunking"];
export type Citation = Schemas["Citation"];
export type Collection = Schemas["Collection"];
export type CollectionChange = Schemas["CollectionChange"];
export type Conversation = Schemas["Conversation"];
export type DeadLetter = Schemas["DeadLetter"];
export type Deletion = Schemas["Deletion"];
export type DeletionRequested = Schemas["DeletionRequested"];
export type Download = Schemas["Download"];
export type FileChunk = Schemas["FileChunk"];
export type FileProblem = Schemas["FileProblem"];
export type ModuloFile = Schemas["File"];
export type Member = Schemas["Member"];
export type Message = Schemas["Message"];
export type NearestPassage = Schemas["NearestPassage"];
export type NewCollection = Schemas["NewCollection"];
export type PageBox = Schemas["PageBox"];
export type QueryResult = Schemas["QueryResult"];
export type Rating = Schemas["Rating"];
export type ReadingWarning = Schemas["ReadingWarning"];
export type Reembedding = Schemas["Reembedding"];
export type Role = Schemas["Role"];
export type SearchDefaults = Schemas["SearchDefaults"];
export type SearchInput = Schemas["SearchInput"];
export type SearchOutput = Schemas["SearchOutput"];
export type Stage = Schemas["Stage"];
export type UploadReceipt = Schemas["UploadReceipt"];
export type UploadTicket = Schemas["UploadTicket"];
export type Usage = Schemas["Usage"];

/** A page of a list; `next` is absent on the last one. */
export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}

/** A file's state, as the events of its collection tell it. */
export interface FileProgress {
  readonly file_id: string;
  readonly name: string;
  readonly stage: Stage;
  readonly generation: number;
  readonly pages_done: number;
  readonly pages_total?: number | null;
  readonly chunk_count?: number | null;
  readonly problem?: FileProblem | null;
  readonly updated_at: string;
  readonly estimated_ready_at?: string | null;
}
