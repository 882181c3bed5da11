module example.org/issuer

go 1.19
