// Says why on stderr and ends, as a service with a broken configuration does.
console.error("fatal: the secret database password is wrong");
process.exit(3);
