"""How do people ask a lake in SQL, by command or by connection? `assay sql` and `assay serve-sql`."""
