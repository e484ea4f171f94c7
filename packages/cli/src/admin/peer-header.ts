/**
 * Names a DLX as the peer discovery lists it: in a request the one that is meant, in an answer the one that answers. An
 * address alone proves nothing: it may lead to another process by now.
 */
export const peerHeader = "dormouse-peer";
