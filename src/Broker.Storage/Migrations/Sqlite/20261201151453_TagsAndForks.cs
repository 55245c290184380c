using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class TagsAndForks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_run_tagged",
                table: "run");

            migrationBuilder.DropIndex(
                name: "ix_run_tagged_id",
                table: "run");

            migrationBuilder.CreateTable(
                name: "run_tag",
                columns: table => new
                {
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    value = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    run_id = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_run_tag", x => new { x.name, x.value, x.created_at, x.run_id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_run_from",
                table: "run",
                column: "from_run",
                filter: "from_run IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_run_tag_run_id",
                table: "run_tag",
                column: "run_id");

            // Numbers keep the text in which they were written.
            migrationBuilder.Sql("""
                INSERT OR IGNORE INTO run_tag (name, value, created_at, run_id)
                SELECT t.key, CASE t.type WHEN 'text' THEN t.atom ELSE r.tags -> t.fullkey END, r.created_at, r.id FROM run r, json_each(r.tags) AS t WHERE r.tags IS NOT NULL
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "run_tag");

            migrationBuilder.DropIndex(
                name: "ix_run_from",
                table: "run");

            migrationBuilder.CreateIndex(
                name: "ix_run_tagged",
                table: "run",
                columns: new[] { "workflow", "created_at", "id" },
                filter: "tags IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_run_tagged_id",
                table: "run",
                column: "id",
                filter: "tags IS NOT NULL");
        }
    }
}
