"""The Linux desktop of the user: viewing pictures, the file type, thumbnails in file managers. Only commands import this."""
