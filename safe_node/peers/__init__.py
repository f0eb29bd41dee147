"""What a running safe does to have again what it lost: it finds out, asks its peers, checks, and keeps."""
