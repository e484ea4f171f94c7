// Command go-proxy is Go's httputil.ReverseProxy in a few lines, for comparison.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	listen, target := os.Args[1], os.Args[2]
	address, err := url.Parse(target)
	if err != nil {
		log.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// The default of 2 would open a connection for most requests.
	transport.MaxIdleConnsPerHost = 256
	proxy := httputil.NewSingleHostReverseProxy(address)
	proxy.Transport = transport
	log.Fatal(http.ListenAndServe(listen, proxy))
}
