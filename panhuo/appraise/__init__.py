"""What each way costs and yields: dated flows per party, taxes by the law of their date, every figure open."""
