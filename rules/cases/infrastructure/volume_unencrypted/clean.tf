resource "aws_ebs_volume" "data" {
  encrypted = true
}

resource "aws_ebs_volume" "copy" {
  snapshot_id = aws_ebs_snapshot.s.id
}

resource "aws_instance" "app" {
  root_block_device {
    volume_size = 20
  }
}
