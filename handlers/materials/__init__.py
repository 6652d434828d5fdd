"""Material library (W4, first part): files that messages carry, and their media ids renewed before WeCom forgets them.

material: an uploaded file, immutable, known by the hash of its content · kind: image, video or file, by content ·
media id: WeCom's name for an upload, good for 3 days.
"""
