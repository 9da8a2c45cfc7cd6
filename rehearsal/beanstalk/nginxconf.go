package beanstalk

import (
	"fmt"
	"net/netip"
	"strings"
)

// common is what every nginx here needs to keep to its own folder, from which the paths are relative. It logs to the
// process that started it.
const common = `
daemon off;
pid nginx.pid;
lock_file nginx.lock;
error_log stderr warn;
user www-data;
`

// temporary are the folders of nginx's temporary files, and its log.
const temporary = `
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	scgi_temp_path scgi;
	uwsgi_temp_path uwsgi;
	default_type application/octet-stream;
	log_format main '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
		'"$http_referer" "$http_user_agent" "$http_x_forwarded_for"';
	access_log /dev/stdout main;
	server_tokens off;
`

// proxyConfig is nginx's configuration on an instance of the Go platform on Amazon Linux 2023, for a program on a port.
//
// The values are those of the platform's /etc/nginx/nginx.conf and of its
// conf.d/elasticbeanstalk/00_application.conf, as people who looked at their instances show them, and of the example in
// "Configuring the reverse proxy" (AWS Elastic Beanstalk Developer Guide, of the Java SE platform, whose proxy is the
// same). There is no upstream block and so no connection that is kept. What is not set there, such as
// client_max_body_size (1 MiB) and the time-outs of the proxy (60 s), is nginx's own. Left out is worker_rlimit_nofile, as
// how many files may be open is this machine's to say.
func proxyConfig(port int) string {
	return common + fmt.Sprintf(`
worker_processes auto;
events { worker_connections 1024; }
http {%s
	# Without an entry for requests that want no upgrade: the program gets "Connection: upgrade" with every request.
	map $http_upgrade $connection_upgrade { default "upgrade"; }

	server {
		listen 80 default_server;
		client_header_timeout 60;
		client_body_timeout 60;
		keepalive_timeout 60;
		gzip off;
		gzip_comp_level 4;
		gzip_types text/plain text/css application/json application/javascript application/x-javascript text/xml
			application/xml application/xml+rss text/javascript;

		location / {
			proxy_pass http://127.0.0.1:%d;
			proxy_http_version 1.1;
			proxy_set_header Connection $connection_upgrade;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Host $host;
			proxy_set_header X-Real-IP $remote_addr;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
		}
	}
}
`, temporary, port)
}

// listeners are those of a load balancer.
type listeners struct{ http, https bool }

// balancerConfig is nginx's configuration as an Application Load Balancer in front of port 80 of the targets, from which
// those that are down get nothing.
//
// The facts are from the User Guide for Application Load Balancers. "HTTP headers and Application Load Balancers": the
// address of the client is appended to X-Forwarded-For, and X-Forwarded-Proto and -Port are set. "Application Load
// Balancers", attributes: connections that idle end after 60 s, of clients as of targets. "Troubleshoot your Application
// Load Balancers": 503 without targets, 502 when a target refuses the connection, 504 when one does not take it within
// 10 s. No other target is tried then. "Health checks": when all targets are unhealthy, all of them get requests. It
// passes on what it gets as it comes, with the client's Host header.
func balancerConfig(l listeners, targets []netip.Addr, down func(netip.Addr) bool) string {
	var b strings.Builder
	b.WriteString(common)
	// One process, so that it has one turn.
	b.WriteString("\nworker_processes 1;\nevents { worker_connections 4096; }\nhttp {" + temporary)
	b.WriteString("\tmap $http_upgrade $connection_upgrade { default upgrade; '' ''; }\n")
	answer := "return 503;"
	if len(targets) > 0 {
		answer = `proxy_pass http://targets;
			proxy_next_upstream off;
			proxy_http_version 1.1;
			proxy_connect_timeout 10;
			proxy_send_timeout 60;
			proxy_read_timeout 60;
			proxy_buffering off;
			proxy_request_buffering off;
			proxy_pass_header Server;
			proxy_pass_header Date;
			proxy_set_header Connection $connection_upgrade;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Host $http_host;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_set_header X-Forwarded-Port $server_port;`
		all := true
		for _, target := range targets {
			all = all && down(target)
		}
		b.WriteString("\tupstream targets {\n")
		for _, target := range targets {
			if all || !down(target) {
				// The health checks decide, not a request that failed.
				fmt.Fprintf(&b, "\t\tserver %s max_fails=0;\n", netip.AddrPortFrom(target, 80))
			}
		}
		b.WriteString("\t\tkeepalive 32;\n\t}\n")
	}
	b.WriteString("\tserver {\n")
	if l.http {
		b.WriteString("\t\tlisten 80 default_server;\n")
	}
	if l.https {
		// ELBSecurityPolicy-TLS13-1-2-2021-06.
		b.WriteString("\t\tlisten 443 ssl http2 default_server;\n\t\tssl_certificate server-cert.pem;\n" +
			"\t\tssl_certificate_key server-key.pem;\n\t\tssl_protocols TLSv1.2 TLSv1.3;\n")
	}
	b.WriteString(`		client_header_timeout 60;
		client_body_timeout 60;
		keepalive_timeout 60;
		client_max_body_size 0;
		underscores_in_headers on;
		location / {
			` + answer + `
		}
	}
}
`)
	return b.String()
}
