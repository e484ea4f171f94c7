/*
 * The parts of a DLX below its sockets, for simulations in this workspace: gates, the way of a request between them, and
 * forwarding as a port. Not published.
 */
export { ClientResponse } from "./exchange/client-response.ts";
export type { FrontState } from "./exchange/front-state.ts";
export { createIntake } from "./exchange/intake.ts";
export { StartingRoom } from "./exchange/starting-room.ts";
export type { ForwardFailure, Forwarder, Outgoing, Reply, Sending } from "./forward/forwarder.ts";
export { Networks } from "./forward/networks.ts";
export type { Dial } from "./gate/dial.ts";
export { GateKeeper, type GateKeeperOptions } from "./gate/gate-keeper.ts";
export { ClientConnection } from "./listen/client-connections.ts";
export { RouteTable } from "./route/route-table.ts";
